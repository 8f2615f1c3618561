/**
 * A pattern in which `*` stands for any characters, or none. Matching passes through the text once
 * and never backtracks, so no text makes it slow.
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
    // Matching each part as early as possible leaves the most room for the later ones.
    for (const part of this.#parts.slice(1, -1)) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
