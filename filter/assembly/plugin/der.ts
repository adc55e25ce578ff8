// ECDSA signatures as DER (X.690; SEC 1 C.8): SEQUENCE { INTEGER r, INTEGER s }, each in its one shortest form.
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";

const ZERO = View.utf8("\0");

/** @param signature 64 bytes r ‖ s
 *  @returns 8 to 72 bytes; a zero stays a zero, so that no invalid signature becomes a valid one */
export function derSignature(signature: View): View {
  const r = integer(signature.slice(0, 32));
  const s = integer(signature.slice(32, 64));
  return concat([header(0x30, r.length + s.length), r, s]);
}

function integer(magnitude: View): View {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude.at(start) == 0) start++;
  const digits = magnitude.slice(start, magnitude.length);
  const negative = digits.at(0) >= 0x80;
  return concat([header(0x02, digits.length + (negative ? 1 : 0)), negative ? ZERO : View.empty(), digits]);
}

/** Lengths here are below 128, one byte each. */
function header(tag: u8, length: i32): View {
  const bytes = new Uint8Array(2);
  bytes[0] = tag;
  bytes[1] = <u8>length;
  return View.of(bytes);
}
