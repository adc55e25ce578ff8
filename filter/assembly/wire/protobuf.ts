/** A strict subset of the Protobuf wire format (protobuf.dev/programming-guides/encoding): varint and length-delimited
 *  fields only, minimal varints, no groups, no fixed32/fixed64. What a field means, how often it may occur and how deep
 *  messages nest is the caller's: one `FieldReader` per message, no recursion here. Timing: variable.
 *
 *  The caller's loop ends at `next() == false`; the message was well formed only when `failed` is false then. */
import { View } from "../bytes/view";
import { Reader } from "./reader";
import { isUtf8 } from "../bytes/utf8";

const WIRE_VARINT: u32 = 0;
const WIRE_LENGTH: u32 = 2;
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

@final
export class FieldReader {
  /** Number of the field that `next` found. */
  field: i32 = 0;
  failed: bool = false;
  private wireType: u32 = 0;
  private readonly reader: Reader;

  constructor(message: View) {
    this.reader = new Reader(message);
  }

  /** Goes to the next field; its value must be read before the next call. False at the end and after a fault. */
  next(): bool {
    if (this.failed || this.reader.remaining() == 0) return false;
    const tag = this.readVarint();
    const field = tag >> 3;
    if (field == 0 || field > MAX_FIELD_NUMBER) this.failed = true;
    this.field = <i32>field;
    this.wireType = <u32>(tag & 7);
    return !this.failed;
  }

  /** A varint field's 64 bits; 0 after a fault. */
  varint(): u64 {
    if (this.wireType != WIRE_VARINT) this.failed = true;
    return this.failed ? 0 : this.readVarint();
  }

  /** An int32 field: negative values travel sign-extended to 64 bits; others outside int32 are faults. */
  int32(): i32 {
    const value = <i64>this.varint();
    if (value < i32.MIN_VALUE || value > i32.MAX_VALUE) this.failed = true;
    return <i32>value;
  }

  /** A length-delimited field; empty after a fault. */
  bytes(): View {
    if (this.wireType != WIRE_LENGTH) this.failed = true;
    const value = !this.failed ? this.reader.take(this.readVarint()) : null;
    if (value == null || this.failed) {
      this.failed = true;
      return View.empty();
    }
    return value;
  }

  /** A length-delimited field of UTF-8 text; empty after a fault. */
  text(): View {
    const value = this.bytes();
    if (!isUtf8(value.ptr, value.length)) this.failed = true;
    return value;
  }

  private readVarint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 70; shift += 7) {
      const byte = this.reader.next();
      if (byte < 0 || (shift == 63 && byte > 1)) break;
      value |= (<u64>(byte & 0x7f)) << shift;
      if (byte >= 0x80) continue;
      if (byte == 0 && shift > 0) break;
      return value;
    }
    this.failed = true;
    return 0;
  }
}
