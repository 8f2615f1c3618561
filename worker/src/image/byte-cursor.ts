import { require } from './scan-input.ts';

/** Reads fields one after the other; a field behind the end makes the image invalid. */
export class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Reads a big-endian number of at most 8 bytes. */
  read(length: number): number {
    const start = this.#skip(length);
    let value = 0;
    for (let at = start; at < this.#at; at += 1) value = value * 256 + (this.#bytes[at] ?? 0);
    return value;
  }

  text(length: number): string {
    const start = this.#skip(length);
    return this.#bytes.toString('latin1', start, this.#at);
  }

  #skip(length: number): number {
    const start = this.#at;
    this.#at += length;
    require(this.#at <= this.#bytes.length, 'a box that is too short');
    return start;
  }
}
