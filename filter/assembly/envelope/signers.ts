/** Who signed a statement, and whether that is enough (docs/envelope.md steps 7 to 9 of section 6, step 7 of section 7). */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { Envelope, Token } from "./envelope";
import { ROLE_CFG, ROLE_FRESH, ROLE_PUSH, ROLE_ROOT, RootDocument, RootKey } from "./root-document";
import { isSigned, signingInput } from "./signature";
import { VerifyOptions } from "./types";
import { Use } from "./use";

/** SIZE, KEY_UNKNOWN, KEY_ROLE, SIGNATURE, THRESHOLD. No signer is left uncounted: one that should not be there refuses all. */
export function checkSigners(envelope: Envelope, use: Use, root: RootDocument, options: VerifyOptions): Code {
  const signers = envelope.signers;
  if (!options.signatures.take(signers.length)) return Code.SIZE;
  const accepted = acceptedRoles(use);
  const keys = new Array<RootKey>();
  let shared = accepted;
  for (let i = 0; i < signers.length; i++) {
    const key = root.key(signers[i].k);
    if (key == null) return Code.KEY_UNKNOWN;
    if ((key.roles & accepted) == 0) return Code.KEY_ROLE;
    shared &= key.roles;
    keys.push(key);
  }
  if (shared == 0) return Code.KEY_ROLE;
  const message = signingInput(envelope.sender().claims);
  for (let i = 0; i < signers.length; i++) {
    if (!isSigned(keys[i], message, signers[i].signature, options.verifier)) return Code.SIGNATURE;
  }
  return hasRepeatedKey(signers) || signers.length < smallestThreshold(root, shared) ? Code.THRESHOLD : Code.OK;
}

/** Roles that all signers of a use must share one of. */
function acceptedRoles(use: Use): u32 {
  switch (use) {
    case Use.Cfg:
    case Use.Set:
      return ROLE_CFG;
    case Use.Fresh:
      return ROLE_FRESH | ROLE_CFG;
    case Use.Push:
      return ROLE_PUSH;
    default:
      return 0;
  }
}

function smallestThreshold(root: RootDocument, roles: u32): i32 {
  let smallest = i32.MAX_VALUE;
  for (let rest = roles; rest != 0; rest &= rest - 1) smallest = min(smallest, root.threshold(rest & (~rest + 1)));
  return smallest;
}

/** Whether a root has the signatures of its own threshold and of its predecessor's. `previous` is null for the pinned root:
 *  signers without the role in it are its predecessor's and are not looked at. */
export function isRootSigned(
  envelope: Envelope,
  root: RootDocument,
  previous: RootDocument | null,
  options: VerifyOptions,
): bool {
  if (!options.signatures.take(envelope.signers.length)) return false;
  const message = signingInput(envelope.sender().claims);
  const counted = new Array<Token>();
  let own = 0;
  let former = 0;
  for (let i = 0; i < envelope.signers.length; i++) {
    const signer = envelope.signers[i];
    const ownKey = rootKey(root, signer.k);
    const formerKey = previous != null ? rootKey(previous, signer.k) : null;
    if (ownKey == null && formerKey == null) {
      if (previous == null) continue;
      return false;
    }
    const key = ownKey != null ? ownKey : formerKey!;
    if (!isSigned(key, message, signer.signature, options.verifier)) return false;
    if (ownKey != null) own++;
    if (formerKey != null) former++;
    counted.push(signer);
  }
  if (hasRepeatedKey(counted) || own < root.threshold(ROLE_ROOT)) return false;
  return previous == null || former >= previous.threshold(ROLE_ROOT);
}

function rootKey(root: RootDocument, k: View): RootKey | null {
  const key = root.key(k);
  return key != null && (key.roles & ROLE_ROOT) != 0 ? key : null;
}

function hasRepeatedKey(signers: Token[]): bool {
  for (let i = 1; i < signers.length; i++) {
    for (let j = 0; j < i; j++) if (signers[i].k.equals(signers[j].k)) return true;
  }
  return false;
}
