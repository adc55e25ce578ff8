/**
 * The module inside of what was fetched: as it is, compressed (gzip), or a file of a tar archive, as istio-agent takes them.
 *
 * tar (POSIX.1-2017, "ustar Interchange Format"): regular files by the name in their header; extended headers (`x`, `g`,
 * GNU `L`) are stepped over, since the one name that is looked for needs none. A library for one file of one archive that
 * is in memory and whose digest is known would be more code to trust than this.
 *
 *     0        100      124     136    156   157        257     345       500   512
 *     | name   | mode…  | size  | …    | type | link…   | ustar | prefix  | pad |
 */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LimitError, UpstreamError } from "../errors.ts";

const inflate = promisify(gunzip);

const BLOCK_BYTES = 512;
const ENTRIES_MAX_COUNT = 4_096;
const SIZE = { at: 124, end: 136 } as const;
const TYPE_AT = 156;
const NAME_BYTES = 100;
const MAGIC_AT = 257;
const REGULAR: readonly number[] = [0x30, 0];
const WASM_MAGIC = Buffer.from("\0asm");
const PLUGIN = "plugin.wasm";

export function isWasm(bytes: Uint8Array): boolean {
  return startsWith(bytes, WASM_MAGIC);
}

/** What an HTTP server may give: the module, or one that is compressed or the first file of an archive.
 *  @returns the bytes themselves when they are neither. @throws LimitError, UpstreamError PROTOCOL */
export async function unbox(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const plain = isGzip(bytes) ? await gunzipped(bytes, maxBytes) : bytes;
  return isTar(plain) ? (fileOf(plain, () => true) ?? plain) : plain;
}

/** `plugin.wasm` in a layer of an image, a compressed archive. @throws LimitError, UpstreamError PROTOCOL */
export async function pluginOfLayer(layer: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const module = fileOf(await gunzipped(layer, maxBytes), (name) => name === PLUGIN || name.endsWith(`/${PLUGIN}`));
  if (module === undefined) throw new UpstreamError("PROTOCOL", `no ${PLUGIN} in the layer`);
  return module;
}

/** Stops when it would grow beyond the bound. */
async function gunzipped(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inflate(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE")
      throw new LimitError(`uncompressed longer than ${maxBytes} bytes`, { cause });
    throw new UpstreamError("PROTOCOL", "not a whole gzip stream", { cause });
  }
}

/** The content of the first regular file whose name is wanted: a window on the archive. */
function fileOf(archive: Uint8Array, isWanted: (name: string) => boolean): Uint8Array | undefined {
  let at = 0;
  for (let count = 0; at + BLOCK_BYTES <= archive.length; count++) {
    if (count === ENTRIES_MAX_COUNT) throw new LimitError(`an archive with more than ${ENTRIES_MAX_COUNT} entries`);
    const header = archive.subarray(at, at + BLOCK_BYTES);
    // Two blocks of zeros end an archive.
    if (header[0] === 0) return undefined;
    const size = Number.parseInt(textOf(header.subarray(SIZE.at, SIZE.end)), 8);
    const end = at + BLOCK_BYTES + size;
    if (!Number.isSafeInteger(size) || size < 0 || end > archive.length)
      throw new UpstreamError("PROTOCOL", "not a whole tar archive");
    if (REGULAR.includes(header[TYPE_AT] ?? -1) && isWanted(textOf(header.subarray(0, NAME_BYTES))))
      return archive.subarray(at + BLOCK_BYTES, end);
    at = Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return undefined;
}

/** Up to the first NUL, without spaces. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end))
    .toString("latin1")
    .trim();
}

function isGzip(bytes: Uint8Array): boolean {
  return startsWith(bytes, Buffer.from([0x1f, 0x8b]));
}

function isTar(bytes: Uint8Array): boolean {
  return startsWith(bytes.subarray(MAGIC_AT), Buffer.from("ustar"));
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
