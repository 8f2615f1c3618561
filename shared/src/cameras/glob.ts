/**
 * A text in which `*` stands for any characters, or none. Matching goes through the text once from
 * left to right and never back, so no text makes it slow.
 */
export class Glob {
  readonly #parts: readonly string[];

  constructor(text: string) {
    this.#parts = text.split('*');
  }

  matches(text: string): boolean {
    const first = this.#parts[0] ?? '';
    if (this.#parts.length === 1) return text === first;
    const last = this.#parts.at(-1) ?? '';
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    // The earliest place of a part leaves the most room for those after it.
    for (const part of this.#parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
