/** A cursor over a WebAssembly binary (Core 2.0 section 5.2). A module that is cut off is an error. */
export class ByteReader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("the module is cut off");
    return byte;
  }

  peek(): number | undefined {
    return this.#bytes[this.at];
  }

  /** A window, not a copy. */
  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new Error("the module is cut off");
    return this.#bytes.subarray(this.at, (this.at += length));
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Any number in LEB128, whatever its size and sign. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }
}
