/** A read-only window on bytes in linear memory; the only way the layers above `bytes` look at them.
 *  `owner` keeps managed memory alive; it is null for static memory and for buffers that the caller keeps. */
@final
export class View {
  constructor(
    readonly ptr: usize,
    readonly length: i32,
    private readonly owner: ArrayBuffer | null = null,
  ) {}

  static empty(): View {
    return new View(0, 0);
  }

  static of(bytes: Uint8Array): View {
    return new View(bytes.dataStart, bytes.length, bytes.buffer);
  }

  /** UTF-8 of a string, without terminator. */
  static utf8(text: string): View {
    const buffer = String.UTF8.encode(text);
    return new View(changetype<usize>(buffer), buffer.byteLength, buffer);
  }

  /** The byte at `index`; traps outside 0..length-1, which is a bug of the caller. */
  at(index: i32): u8 {
    if (<u32>index >= <u32>this.length) unreachable();
    return load<u8>(this.ptr + <usize>index);
  }

  /** Bytes `start`..`end`-1 of the same memory; traps unless 0 <= start <= end <= length. */
  slice(start: i32, end: i32): View {
    if (start < 0 || start > end || end > this.length) unreachable();
    return new View(this.ptr + <usize>start, end - start, this.owner);
  }

  equals(other: View): bool {
    return this.length == other.length && memory.compare(this.ptr, other.ptr, <usize>this.length) == 0;
  }

  /** Less than, equal to or greater than 0, by unsigned bytes (UTF-8 order). */
  compare(other: View): i32 {
    const shared = this.length < other.length ? this.length : other.length;
    const order = memory.compare(this.ptr, other.ptr, <usize>shared);
    return order != 0 ? order : this.length - other.length;
  }

  /** First position of `byte` at or after `from`, or -1. */
  indexOf(byte: u8, from: i32 = 0): i32 {
    for (let i = from; i < this.length; i++) if (this.at(i) == byte) return i;
    return -1;
  }

  startsWith(prefix: View): bool {
    return this.length >= prefix.length && memory.compare(this.ptr, prefix.ptr, <usize>prefix.length) == 0;
  }

  endsWith(suffix: View): bool {
    return (
      this.length >= suffix.length &&
      memory.compare(this.ptr + <usize>(this.length - suffix.length), suffix.ptr, <usize>suffix.length) == 0
    );
  }

  /** A copy in memory of its own. */
  copy(): View {
    const buffer = new ArrayBuffer(this.length);
    memory.copy(changetype<usize>(buffer), this.ptr, <usize>this.length);
    return new View(changetype<usize>(buffer), this.length, buffer);
  }

  /** Decodes UTF-8; ill-formed sequences become U+FFFD. */
  toString(): string {
    return String.UTF8.decodeUnsafe(this.ptr, <usize>this.length);
  }
}
