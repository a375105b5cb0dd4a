/** Bytes that grow. */
export class Bytes {
  #data = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#data.length) this.#grow(this.length + 1);
    this.#data[this.length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    if (this.length + values.length > this.#data.length) this.#grow(this.length + values.length);
    // Mostly a few: a loop is quicker than `set` then.
    if (values.length > 16) this.#data.set(values, this.length);
    else for (let k = 0; k < values.length; k++) this.#data[this.length + k] = values[k] ?? 0;
    this.length += values.length;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#data.length));
    larger.set(this.#data);
    this.#data = larger;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) return this.byte(low);
      this.byte(low | 128);
    }
  }

  word(value: number): void {
    this.bytes([value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]);
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** A section, or anything else that is preceded by its length. */
  sized(content: Bytes): void {
    this.unsigned(content.length);
    this.bytes(content.done());
  }

  cut(length: number): void {
    this.length = length;
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.#data.slice(0, this.length);
  }
}
