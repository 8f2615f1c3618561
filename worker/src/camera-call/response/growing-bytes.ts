const FIRST_BYTES = 16 * 1024;

/** Collects pieces into one buffer, at a cost that is linear in the bytes however small they are. */
export class GrowingBytes {
  #buffer: Buffer;
  #length = 0;

  constructor(capacityBytes = 0) {
    this.#buffer = Buffer.allocUnsafeSlow(capacityBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** Everything so far; the same memory until more is needed. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#buffer.length, length));
      this.bytes.copy(grown);
      this.#buffer = grown;
    }
    piece.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** Removes the first bytes. */
  drop(count: number): void {
    this.#buffer.copy(this.#buffer, 0, count, this.#length);
    this.#length -= count;
  }
}
