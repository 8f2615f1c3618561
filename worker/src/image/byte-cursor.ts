import { requireThat } from './scan-input.ts';

/** Reads fields one after the other; a field behind the end makes the image invalid. */
export class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Reads a big-endian number of at most 8 bytes. */
  number(length: number): number {
    const start = this.#advance(length);
    let value = 0;
    for (let at = start; at < this.#at; at += 1) value = value * 256 + (this.#bytes[at] ?? 0);
    return value;
  }

  text(length: number): string {
    const start = this.#advance(length);
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** Skips a text that ends with a NUL. */
  skipText(): void {
    const end = this.#bytes.indexOf(0, this.#at);
    requireThat(end !== -1, 'a text without an end');
    this.#at = end + 1;
  }

  /** Reads the version and the flags of a full box. */
  fullBox(maxVersion: number): { version: number; flags: number } {
    const version = this.number(1);
    requireThat(version <= maxVersion, `a box of version ${version}`);
    return { version, flags: this.number(3) };
  }

  #advance(length: number): number {
    const start = this.#at;
    this.#at += length;
    requireThat(this.#at <= this.#bytes.length, 'a box that is too short');
    return start;
  }
}
