/** Immediates of WebAssembly instructions (Core 2.0 section 5.4), so that code can be walked without being understood. */
import type { ByteReader } from "./byte-reader.ts";

const F32_CONST = 0x43;
const F64_CONST = 0x44;
const BR_TABLE = 0x0e;
const CALL_INDIRECT = 0x11;
const SELECT_TYPED = 0x1c;
const NUMERIC = 0xfc;
const VECTOR = 0xfd;
const MEMORY_COPY = 10;
const MEMORY_FILL = 11;

/** unreachable, nop, else, end, return, drop, select */
const NO_NUMBERS: ReadonlySet<number> = new Set([0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b]);
/** block, loop, if, br, br_if, call; locals, globals and tables; memory.size and memory.grow; integer constants */
const ONE_NUMBER: ReadonlySet<number> = new Set([
  ...[0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40, 0x41, 0x42],
]);

/** Behind the opcode. An instruction that is not known is an error. */
export function skipImmediates(reader: ByteReader, opcode: number): void {
  if (opcode === F32_CONST || opcode === F64_CONST) reader.take(opcode === F32_CONST ? 4 : 8);
  else if (opcode === VECTOR) skipVector(reader);
  else for (let count = numbersBehind(reader, opcode); count > 0; count--) reader.skipNumber();
}

/** How many numbers in LEB128. */
function numbersBehind(reader: ByteReader, opcode: number): number {
  if (NO_NUMBERS.has(opcode) || (opcode >= 0x45 && opcode <= 0xc4)) return 0;
  if (ONE_NUMBER.has(opcode)) return 1;
  if (opcode === CALL_INDIRECT || (opcode >= 0x28 && opcode <= 0x3e)) return 2;
  if (opcode === BR_TABLE) return reader.u32() + 1;
  if (opcode === SELECT_TYPED) return reader.u32();
  if (opcode === NUMERIC) return numbersBehindNumeric(reader.u32());
  throw new Error(`instruction 0x${opcode.toString(16)} is not known`);
}

/** Saturating conversions have none; of the memory instructions, only those that AssemblyScript writes. */
function numbersBehindNumeric(opcode: number): number {
  if (opcode <= 7) return 0;
  if (opcode === MEMORY_FILL) return 1;
  if (opcode === MEMORY_COPY) return 2;
  throw new Error(`instruction 0xfc ${opcode} is not known`);
}

function skipVector(reader: ByteReader): void {
  const opcode = reader.u32();
  const isOfLane = opcode >= 84 && opcode <= 91;
  if (opcode <= 11 || opcode === 92 || opcode === 93 || isOfLane) {
    reader.skipNumber();
    reader.skipNumber();
  }
  if (opcode === 12 || opcode === 13) reader.take(16);
  else if (isOfLane || (opcode >= 21 && opcode <= 34)) reader.byte();
}
