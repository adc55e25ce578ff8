/** Textual encodings (RFC 7468). Subset: no headers inside a block; text between blocks is ignored, as OpenSSL does. */
import { ParseError } from "../errors.ts";

const LINE_CHARS = 64;
const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*)^-----END \1-----[ \t]*$/gm;

export interface PemBlock {
  readonly label: string;
  readonly bytes: Uint8Array;
}

export function encodePem({ label, bytes }: PemBlock): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(new RegExp(`.{1,${LINE_CHARS}}`, "g")) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** All blocks of a text, in order. */
export function decodePem(text: string): readonly PemBlock[] {
  return [...text.matchAll(BLOCK)].map(([, label = "", body = ""]) => ({
    label,
    bytes: Uint8Array.from(Buffer.from(body, "base64")),
  }));
}

/** The only block with this label.
 *  @throws ParseError PEM when there is none, or more than one. */
export function onlyBlock(blocks: readonly PemBlock[], label: string): Uint8Array {
  const found = blocks.filter((block) => block.label === label);
  const [block] = found;
  if (block === undefined || found.length > 1) {
    throw new ParseError("PEM", `${found.length === 0 ? "no" : "more than one"} ${label} block`);
  }
  return block.bytes;
}
