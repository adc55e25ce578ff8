/** ES256 over the constant header and the claims (docs/envelope.md section 2). The check itself is injected: a host may do it
 *  faster. Timing: variable; everything here is public. */
import { View } from "../bytes/view";
import { concat } from "../bytes/concat";
import { verifyP1363 } from "../crypto/ecdsa";
import { encodeBase64UrlBytes } from "../wire/base64url";
import { digestOf } from "./digest";
import { RootKey } from "./root-document";

const SIGNATURE_BYTES = 64;
const HEADER = View.utf8("eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.");

export abstract class SignatureVerifier {
  /** Whether `signature64` (r then s) signs SHA-256 of `message` for a valid 65-byte key. */
  abstract verify(publicKey65: View, message: View, signature64: View): bool;
}

/** Our own P-256. */
@final
export class PureVerifier extends SignatureVerifier {
  verify(publicKey65: View, message: View, signature64: View): bool {
    const digest = digestOf(message);
    return verifyP1363(publicKey65.ptr, digest.ptr, signature64.ptr);
  }
}

/** What a signature covers. */
export function signingInput(claims: View): View {
  return concat([HEADER, encodeBase64UrlBytes(claims)]);
}

/** A signature of another length never verifies. */
export function isSigned(key: RootKey, message: View, signature: View, verifier: SignatureVerifier): bool {
  if (signature.length != SIGNATURE_BYTES) return false;
  const table = key.table;
  if (table != null && table.use()) return table.verify(message, signature);
  return verifier.verify(key.publicKey, message, signature);
}
