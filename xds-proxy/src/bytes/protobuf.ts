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

/** Varints up to this many bytes stay below 2^49, where numbers and shifts by multiplication are exact. */
const SMALL_VARINT_BYTES = 7;
const FIELD_NUMBER_MAX = 2 ** 29 - 1;

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
    const tag = this.smallVarint();
    const wireType = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0 || field > FIELD_NUMBER_MAX) fail("a field number out of range");
    if (wireType !== VARINT && wireType !== LENGTH_DELIMITED) fail("an unknown wire type");
    return { field, wireType };
  }

  /** 64 bits, unsigned. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if ((byte === 0 && shift > 0n) || (byte > 1 && shift === 63n)) break;
      return value;
    }
    return fail("a varint that is too long");
  }

  int32(): number {
    const value = BigInt.asIntN(64, this.varint());
    return value === BigInt.asIntN(32, value) ? Number(value) : fail("an int32 out of range");
  }

  /** A window on the input, not a copy. */
  lengthDelimited(): Uint8Array {
    const start = this.at;
    const length = this.smallVarint();
    const end = this.at + length;
    if (end > this.bytes.length) fail(`a length past the end at offset ${start}`);
    const content = this.bytes.subarray(this.at, end);
    this.at = end;
    return content;
  }

  string(): string {
    return decodeUtf8(this.lengthDelimited()) ?? fail("a string that is not UTF-8");
  }

  /** A tag or a length: whatever needs more bytes is out of range for both. */
  private smallVarint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < SMALL_VARINT_BYTES; i++, scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      return byte === 0 && i > 0 ? fail("a varint that is too long") : value;
    }
    return fail("a tag or length out of range");
  }

  private byte(): number {
    return this.bytes[this.at++] ?? fail("truncated");
  }
}

function fail(what: string): never {
  throw new ParseError("PROTOBUF", what);
}

export function encodeVarint(value: number | bigint): Uint8Array {
  return Uint8Array.from(varintBytes(value));
}

function varintBytes(value: number | bigint): readonly number[] {
  const out: number[] = [];
  let rest = value;
  if (typeof rest === "number" && rest >= 0 && rest < 2 ** 31) {
    for (; rest >= 0x80; rest >>= 7) out.push((rest & 0x7f) | 0x80);
    return [...out, rest];
  }
  rest = BigInt.asUintN(64, BigInt(rest));
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}

export function encodeTag(field: number, wireType: number): Uint8Array {
  return encodeVarint(field * 8 + wireType);
}

/** A varint field; int32 and int64 may be negative. */
export function varintField(field: number, value: number | bigint): Uint8Array {
  return Uint8Array.of(...varintBytes(field * 8 + VARINT), ...varintBytes(value));
}

/** A length-delimited field; its content may come in pieces. */
export function bytesField(field: number, ...content: readonly Uint8Array[]): Uint8Array {
  return concat(...bytesFieldParts(field, content));
}

/** The same without a copy of its content: the head, then the pieces. */
export function bytesFieldParts(field: number, content: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.of(...varintBytes(field * 8 + LENGTH_DELIMITED), ...varintBytes(length)), ...content];
}

export function stringField(field: number, value: string): Uint8Array {
  return bytesField(field, utf8(value));
}
