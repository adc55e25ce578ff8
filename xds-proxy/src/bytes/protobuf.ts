/**
 * The proto3 wire format (Protocol Buffers, "Encoding"), reading the strict subset of docs/envelope.md section 1.2: minimal
 * varints, no groups, no fixed32 and fixed64, lengths inside their message. Writes the same. Timing: not constant.
 */
import { ParseError } from "../errors.ts";
import { concat, decodeUtf8, utf8 } from "./octets.ts";

export const VARINT = 0;
export const LENGTH_DELIMITED = 2;
export type WireType = typeof VARINT | typeof LENGTH_DELIMITED;

export interface Tag {
  readonly field: number;
  readonly wireType: WireType;
}

/** A cursor over one message; every method throws ParseError PROTOBUF on what it cannot read. */
export class ProtobufReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  tag(): Tag {
    const tag = this.varint();
    const wireType = Number(tag & 7n);
    const field = tag >> 3n;
    if (field === 0n || field >= 1n << 29n) throw new ParseError("PROTOBUF", "a field number out of range");
    if (wireType !== VARINT && wireType !== LENGTH_DELIMITED) throw new ParseError("PROTOBUF", "an unknown wire type");
    return { field: Number(field), wireType };
  }

  /** 64 bits, unsigned. */
  varint(): bigint {
    const first = this.byte();
    if (first < 0x80) return BigInt(first);
    let value = BigInt(first & 0x7f);
    for (let shift = 7n; shift <= 63n; shift += 7n) {
      const byte = this.byte();
      if (shift === 63n && byte > 1) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte === 0) break;
      if (byte < 0x80) return value;
    }
    throw new ParseError("PROTOBUF", "a varint that is too long");
  }

  int32(): number {
    const value = BigInt.asIntN(64, this.varint());
    if (value !== BigInt.asIntN(32, value)) throw new ParseError("PROTOBUF", "an int32 out of range");
    return Number(value);
  }

  /** A window on the input, not a copy. */
  lengthDelimited(): Uint8Array {
    const length = this.varint();
    if (length > BigInt(this.bytes.length - this.at)) throw new ParseError("PROTOBUF", "a length past the end");
    const start = this.at;
    this.at += Number(length);
    return this.bytes.subarray(start, this.at);
  }

  string(): string {
    return decodeUtf8(this.lengthDelimited()) ?? failUtf8();
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw new ParseError("PROTOBUF", "truncated");
    this.at++;
    return byte;
  }
}

function failUtf8(): never {
  throw new ParseError("PROTOBUF", "a string that is not UTF-8");
}

export function encodeVarint(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    out.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

export function encodeTag(field: number, wireType: number): Uint8Array {
  return encodeVarint((BigInt(field) << 3n) | BigInt(wireType));
}

/** A varint field; int32 and int64 may be negative. */
export function varintField(field: number, value: number | bigint): Uint8Array {
  return concat(encodeTag(field, VARINT), encodeVarint(BigInt(value)));
}

export function bytesField(field: number, value: Uint8Array): Uint8Array {
  return concat(encodeTag(field, LENGTH_DELIMITED), encodeVarint(BigInt(value.length)), value);
}

export function stringField(field: number, value: string): Uint8Array {
  return bytesField(field, utf8(value));
}
