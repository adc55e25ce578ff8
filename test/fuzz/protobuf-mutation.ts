/** Mutations of protobuf messages: fields go, come twice, change places, wire type or length, at any depth. */
import type { Random } from "./random.ts";

interface Field {
  readonly start: number;
  readonly end: number;
  /** Undefined: a varint. */
  readonly content: { readonly start: number; readonly end: number } | undefined;
}

const DEPTH_MAX = 3;

/** Undefined when it is not a message. */
export function mutateProtobuf(input: Uint8Array, random: Random, depth = 0): Uint8Array | undefined {
  const fields = fieldsOf(input);
  if (fields === undefined || fields.length === 0) return undefined;
  const field = random.pick(fields);
  const piece = input.subarray(field.start, field.end);
  const [before, after] = [input.subarray(0, field.start), input.subarray(field.end)];
  if (field.content && depth < DEPTH_MAX && random.chance(50)) {
    const content = input.subarray(field.content.start, field.content.end);
    const changed = mutateProtobuf(content, random, depth + 1) ?? random.fill(new Uint8Array(random.below(5)));
    const tagBytes = input.subarray(field.start, field.content.start - varint(content.length).length);
    return Buffer.concat([before, tagBytes, varint(changed.length), changed, after]);
  }
  const other = random.pick(fields);
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, piece, piece, after]);
    case 2:
      return Buffer.concat([before, input.subarray(other.start, other.end), after]);
    case 3:
      return Buffer.concat([after, piece, before]);
    case 4:
      return Buffer.concat([before, anyField(random), after]);
    default:
      return Buffer.concat([input, anyField(random)]);
  }
}

function anyField(random: Random): Uint8Array {
  const field = random.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 32, 33, 2 ** 25]);
  const wireType = random.pick([0, 0, 2, 2, 1, 3, 4, 5]);
  const content = random.fill(new Uint8Array(random.below(4)));
  const number = random.pick([0, 1, 2, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]);
  const value =
    wireType === 0 ? anyVarint(number, random) : Buffer.concat([anyVarint(content.length, random), content]);
  return Buffer.concat([varint(field * 8 + wireType), value]);
}

/** The shortest, one byte longer than that, negative, or too long. */
function anyVarint(value: number, random: Random): Uint8Array {
  const shortest = varint(value);
  if (random.chance(80)) return shortest;
  if (random.chance(30)) return Buffer.from("ffffffffffffffffff01", "hex");
  if (random.chance(30)) return Buffer.from("ffffffffffffffffff02", "hex");
  return Buffer.concat([shortest.map((byte) => byte | 0x80), Uint8Array.of(0)]);
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  return Uint8Array.of(...out, rest);
}

/** Undefined when it is not a message of varints and length-delimited fields. */
function fieldsOf(bytes: Uint8Array): readonly Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    const value = tag && readVarint(bytes, tag.end);
    if (value === undefined || ![0, 2].includes(tag!.value & 7)) return undefined;
    const isBytes = (tag!.value & 7) === 2;
    const end = value.end + (isBytes ? value.value : 0);
    if (end > bytes.length) return undefined;
    fields.push({ start: at, end, content: isBytes ? { start: value.end, end } : undefined });
    at = end;
  }
  return fields;
}

function readVarint(bytes: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let at = start, scale = 1; at < Math.min(bytes.length, start + 10); at++, scale *= 0x80) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
