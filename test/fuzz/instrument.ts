/**
 * Rewrites a compiled WebAssembly module so that it records which of its branches ran: the bytes under test are the shipped
 * ones with probes between their instructions. A probe sets one bit of a map that lies below the data of the module, where
 * AssemblyScript puts nothing (its data begin at 1024). Probes stand at the beginning of functions, loops and both arms of an
 * `if`, behind each `br_if`, and behind blocks that a `br_if` or `br_table` leaves.
 *
 *   i32.const 0   i32.const 0   i32.load8_u AT   i32.const BIT   i32.or   i32.store8 AT
 *
 * Implements the binary format of WebAssembly Core 2.0 section 5 as far as AssemblyScript writes it: no exceptions, no
 * garbage-collected types, one memory, vector instructions (their immediates only).
 */
import { ByteReader } from "./byte-reader.ts";
import { skipImmediates } from "./instructions.ts";

export const COVERAGE_START = 8;
export const COVERAGE_BYTES = 1016;

const HEADER_BYTES = 8;
const CODE_SECTION = 10;
const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  brIf: 0x0d,
  brTable: 0x0e,
} as const;
const VOID = 0x40;
const NOTHING = new Uint8Array();

export interface Instrumented {
  readonly module: Uint8Array;
  /** More than the map has bits: some share one. */
  readonly probes: number;
}

export function instrument(module: Uint8Array): Instrumented {
  const reader = new ByteReader(module);
  const out = [reader.take(HEADER_BYTES)];
  const probes = new Probes();
  while (!reader.done) {
    const id = reader.byte();
    const content = reader.take(reader.u32());
    const section = id === CODE_SECTION ? instrumentCode(content, probes) : content;
    out.push(Uint8Array.of(id), unsigned(section.length), section);
  }
  return { module: Buffer.concat(out), probes: probes.count };
}

class Probes {
  count = 0;

  next(): Uint8Array {
    const index = this.count++ % (COVERAGE_BYTES * 8);
    const at = unsigned(COVERAGE_START + (index >> 3));
    const bit = signed(1 << (index & 7));
    return Uint8Array.of(0x41, 0, 0x41, 0, 0x2d, 0, ...at, 0x41, ...bit, 0x72, 0x3a, 0, ...at);
  }
}

function instrumentCode(section: Uint8Array, probes: Probes): Uint8Array {
  const reader = new ByteReader(section);
  const count = reader.u32();
  const out = [unsigned(count)];
  for (let i = 0; i < count; i++) {
    const body = instrumentBody(reader.take(reader.u32()), probes);
    out.push(unsigned(body.length), body);
  }
  return Buffer.concat(out);
}

interface Place {
  readonly at: number;
  readonly isVoid: boolean;
}

/** A construct that is open. */
interface Frame {
  readonly isLoop: boolean;
  /** Of an `if`, before its `else`: where its probe belongs. */
  arm?: Place | undefined;
  /** By a conditional branch. */
  isLeft: boolean;
}

function instrumentBody(body: Uint8Array, probes: Probes): Uint8Array {
  const out = new Output(body);
  const { reader } = out;
  const frames: Frame[] = [];
  skipLocals(reader);
  out.insert(probes.next());
  let before = -1;
  while (!reader.done) {
    const start = reader.at;
    const opcode = reader.byte();
    const isVoid = reader.peek() === VOID;
    for (const depth of depthsOf(reader, opcode)) leave(frames.at(-1 - depth));
    switch (opcode) {
      case Op.block:
        frames.push({ isLoop: false, isLeft: false });
        break;
      case Op.loop:
        frames.push({ isLoop: true, isLeft: false });
        out.insert(probes.next());
        break;
      case Op.if:
        frames.push({ isLoop: false, isLeft: false, arm: { at: out.insert(NOTHING), isVoid } });
        break;
      case Op.else:
        endArm(out, frames.at(-1), probes);
        out.insert(probes.next());
        break;
      case Op.brIf:
        out.insert(probes.next());
        break;
      case Op.end:
        close(out, frames.pop(), { start, before, probes });
        break;
    }
    before = opcode;
  }
  return out.bytes();
}

/** Skips the immediates; those of conditional branches say how many constructs they leave. */
function depthsOf(reader: ByteReader, opcode: number): readonly number[] {
  if (opcode === Op.brIf) return [reader.u32()];
  if (opcode === Op.brTable) return Array.from({ length: reader.u32() + 1 }, () => reader.u32());
  skipImmediates(reader, opcode);
  return [];
}

/** The body of a function has no frame. */
function leave(frame: Frame | undefined): void {
  if (frame?.isLoop === false) frame.isLeft = true;
}

function endArm(out: Output, frame: Frame | undefined, probes: Probes): void {
  if (frame?.arm === undefined) return;
  out.replace(frame.arm.at, probes.next());
  frame.arm = undefined;
}

interface End {
  readonly start: number;
  /** The opcode before it. */
  readonly before: number;
  readonly probes: Probes;
}

/** An arm that ends in a trap needs no probe: a trap is a finding. An `if` of no value gets an `else` for its other probe. */
function close(out: Output, frame: Frame | undefined, { start, before, probes }: End): void {
  if (frame?.arm !== undefined && before !== Op.unreachable) {
    const { isVoid } = frame.arm;
    endArm(out, frame, probes);
    if (isVoid) out.insertAt(start, Uint8Array.of(Op.else), probes.next());
  }
  if (frame?.isLeft === true) out.insert(probes.next());
}

function skipLocals(reader: ByteReader): void {
  for (let groups = reader.u32(); groups > 0; groups--) {
    reader.u32();
    reader.byte();
  }
}

/** The bytes of a function with something between them. */
class Output {
  readonly reader: ByteReader;
  readonly #source: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #copied = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
    this.reader = new ByteReader(source);
  }

  /** Returns the place, which can be filled with something else. */
  insert(bytes: Uint8Array): number {
    this.insertAt(this.reader.at, bytes);
    return this.#parts.length - 1;
  }

  replace(place: number, bytes: Uint8Array): void {
    this.#parts[place] = bytes;
  }

  insertAt(at: number, ...bytes: readonly Uint8Array[]): void {
    this.#parts.push(this.#source.subarray(this.#copied, at), ...bytes);
    this.#copied = at;
  }

  bytes(): Uint8Array {
    return Buffer.concat([...this.#parts, this.#source.subarray(this.#copied)]);
  }
}

function unsigned(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Uint8Array.of(...out, rest);
}

/** Of 1 to 128: the sign bit of a byte needs a second one. */
function signed(value: number): Uint8Array {
  return value < 64 ? Uint8Array.of(value) : Uint8Array.of((value & 0x7f) | 0x80, value >> 7);
}
