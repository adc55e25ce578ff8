/**
 * Writes the trust root into `wpgate.wasm`: the one place that configuration cannot reach.
 *
 * The module carries a reserved region in its data (filter/assembly/plugin/pin-region.ts):
 *
 *     magic, 24 bytes │ capacity u32 │ length u32 │ content, `capacity` bytes │ end magic, 8 bytes      little-endian
 *
 * A length of 0xffffffff, as compiled, means unpinned. Nothing else of the module changes, not even its size.
 */
import { LimitError, ParseError } from "../errors.ts";

const MAGIC = new TextEncoder().encode("wpgate: trust root pin>>");
const END_MAGIC = new TextEncoder().encode("<<wpgate");
const HEADER_BYTES = MAGIC.length + 8;
const WASM_MAGIC = Uint8Array.of(0x00, 0x61, 0x73, 0x6d);
const UNPINNED = 0xffffffff;
const FILLER = 0xff;

/** A pinned copy of the module; what was pinned before is replaced.
 *  @param pin - the content of `pin.json`, as text or parsed; whether it makes sense is for the caller to know
 *  @throws ParseError DOCUMENT when `wasm` is not a module with exactly one region; LimitError when the pin does not fit. */
export function pinModule(wasm: Uint8Array, pin: string | object): Uint8Array {
  const text = new TextEncoder().encode(typeof pin === "string" ? pin : JSON.stringify(pin));
  // Not `slice`, which for a Buffer is a window on the same bytes.
  const pinned = Uint8Array.from(wasm);
  const { header, content } = findRegion(pinned);
  if (text.length > content.length)
    throw new LimitError(`the pin has ${text.length} bytes, and the module has room for ${content.length}`);
  header.setUint32(MAGIC.length + 4, text.length, true);
  content.fill(FILLER);
  content.set(text);
  return pinned;
}

/** The JSON text in a module, or undefined when it is not pinned.
 *  @throws ParseError DOCUMENT when `wasm` is not a module with exactly one region. */
export function pinOf(wasm: Uint8Array): string | undefined {
  const { header, content } = findRegion(wasm);
  const length = header.getUint32(MAGIC.length + 4, true);
  return length === UNPINNED ? undefined : new TextDecoder().decode(content.subarray(0, length));
}

interface Region {
  readonly header: DataView;
  readonly content: Uint8Array;
}

function findRegion(wasm: Uint8Array): Region {
  if (!startsWith(wasm, WASM_MAGIC)) throw new ParseError("DOCUMENT", "this is not a WebAssembly module");
  const bytes = Buffer.from(wasm.buffer, wasm.byteOffset, wasm.byteLength);
  const start = bytes.indexOf(MAGIC);
  if (start < 0) throw new ParseError("DOCUMENT", "the module has no place for a pin");
  if (bytes.indexOf(MAGIC, start + 1) >= 0)
    throw new ParseError("DOCUMENT", "the module has more than one place for a pin");
  if (wasm.length < start + HEADER_BYTES) throw new ParseError("DOCUMENT", "the module is cut off");
  const header = new DataView(wasm.buffer, wasm.byteOffset + start, HEADER_BYTES);
  const end = start + HEADER_BYTES + header.getUint32(MAGIC.length, true);
  if (!startsWith(wasm.subarray(end), END_MAGIC))
    throw new ParseError("DOCUMENT", "the module's place for a pin is damaged");
  return { header, content: wasm.subarray(start + HEADER_BYTES, end) };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}
