/** A bounds-checked cursor over bytes. Reading past the end is a value, never a trap. */
import { View } from "../bytes/view";

@final
export class Reader {
  position: i32 = 0;

  constructor(readonly bytes: View) {}

  remaining(): i32 {
    return this.bytes.length - this.position;
  }

  /** Where the next byte lies; `remaining()` bytes may be read there. */
  pointer(): usize {
    return this.bytes.ptr + <usize>this.position;
  }

  /** The next byte without consuming it, or -1 at the end. */
  peek(): i32 {
    return this.position < this.bytes.length ? <i32>this.bytes.at(this.position) : -1;
  }

  /** Consumes a byte; -1 at the end. */
  next(): i32 {
    const byte = this.peek();
    if (byte >= 0) this.position++;
    return byte;
  }

  /** Consumes `byte` when it is next. */
  skip(byte: i32): bool {
    if (this.peek() != byte) return false;
    this.position++;
    return true;
  }

  /** Consumes `length` bytes, or nothing and null when fewer are left. */
  take(length: u64): View | null {
    if (length > <u64>this.remaining()) return null;
    const start = this.position;
    this.position += <i32>length;
    return this.bytes.slice(start, this.position);
  }
}
