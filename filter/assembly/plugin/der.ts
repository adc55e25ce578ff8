import { View } from "../bytes/view";
import { DER_MAX_BYTES, derFromP1363 } from "../crypto/ecdsa-der";

/** @param signature 64 bytes r ‖ s
 *  @returns its DER form, 8 to 72 bytes; a zero stays a zero, so that no invalid signature becomes a valid one */
export function derSignature(signature: View): View {
  const der = new Uint8Array(DER_MAX_BYTES);
  return View.of(der).slice(0, derFromP1363(der.dataStart, signature.ptr));
}
