// The fields of a protobuf message that the host has serialised. Reads every wire type but groups; unlike
// `wire/protobuf.ts`, which is for what carriers could have changed, it does not ask for canonical form.
import { View } from "../bytes/view";
import { Reader } from "../wire/reader";

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const BYTES: u32 = 2;
const FIXED32: u32 = 5;

@final
export class Field {
  constructor(
    readonly number: i32,
    readonly isBytes: bool,
    readonly bytes: View,
  ) {}
}

@final
export class Fields {
  private readonly reader: Reader;

  constructor(message: View) {
    this.reader = new Reader(message);
  }

  /** Null at the end, and for good after a fault. */
  next(): Field | null {
    if (this.reader.remaining() == 0) return null;
    const tag = this.varint();
    const bytes = this.value((<u32>tag) & 7);
    if (bytes != null) return new Field(<i32>(tag >> 3), (tag & 7) == BYTES, bytes);
    this.reader.take(<u64>this.reader.remaining());
    return null;
  }

  private value(wireType: u32): View | null {
    switch (wireType) {
      case VARINT:
        this.varint();
        return View.empty();
      case FIXED64:
        return this.reader.take(8);
      case BYTES:
        return this.reader.take(this.varint());
      case FIXED32:
        return this.reader.take(4);
      default:
        return null;
    }
  }

  private varint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 64; shift += 7) {
      const byte = this.reader.next();
      if (byte < 0) return u64.MAX_VALUE;
      value |= (<u64>(byte & 0x7f)) << shift;
      if (byte < 0x80) return value;
    }
    return u64.MAX_VALUE;
  }
}
