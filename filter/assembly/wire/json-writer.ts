/** Writes JSON strings (RFC 8259 section 7). */
import { View } from "../bytes/view";

const HEX = "0123456789abcdef";

/** `text` (UTF-8) as a JSON string with its quotes; only what must be escaped is. */
export function quote(text: View): string {
  const out = new Array<u8>();
  out.push(0x22);
  for (let i = 0; i < text.length; i++) {
    const byte = text.at(i);
    if (byte < 0x20) {
      pushAscii(out, "\\u00");
      out.push(<u8>HEX.charCodeAt(byte >> 4));
      out.push(<u8>HEX.charCodeAt(byte & 15));
      continue;
    }
    if (byte == 0x22 || byte == 0x5c) out.push(0x5c);
    out.push(byte);
  }
  out.push(0x22);
  const bytes = new Uint8Array(out.length);
  bytes.set(out);
  return View.of(bytes).toString();
}

function pushAscii(out: u8[], text: string): void {
  for (let i = 0; i < text.length; i++) out.push(<u8>text.charCodeAt(i));
}
