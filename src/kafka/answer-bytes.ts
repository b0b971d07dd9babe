/** Walks over the body of an answer in the flexible form (KIP-482). Throws a RangeError where it ends early. */
export class AnswerBytes {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int8(): number {
    return this.#view.getInt8(this.at++);
  }

  int16(): number {
    const value = this.#view.getInt16(this.at);
    this.at += 2;
    return value;
  }

  int32(): number {
    const value = this.#view.getInt32(this.at);
    this.at += 4;
    return value;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number in the answer has more than five bytes');
  }

  /** Of an array or a string; 0 where it is null. */
  length(): number {
    return Math.max(0, this.varint() - 1);
  }

  string(): string {
    const length = this.length();
    const from = this.at;
    this.skip(length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, length).toString('utf8');
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.#bytes.length) throw new RangeError('the answer ends early');
  }

  skipString(): void {
    this.skip(this.length());
  }

  /** Returns how many there were. */
  skipInt32s(): number {
    const count = this.length();
    this.skip(4 * count);
    return count;
  }

  skipTags(): void {
    for (let left = this.varint(); left > 0; left--) {
      this.varint();
      this.skip(this.varint());
    }
  }
}
