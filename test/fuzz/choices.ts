/** An input read as a list of decisions; where it ends, everything is as usual. */
export class Choices {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** 0 to 255; 0 at the end. */
  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.byte() % list.length] ?? list[0];
  }

  take(lengthBytes: number): Uint8Array {
    const taken = this.#bytes.slice(this.#at, this.#at + lengthBytes);
    this.#at += lengthBytes;
    return taken;
  }
}
