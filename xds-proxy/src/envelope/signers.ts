/**
 * Who signed (docs/envelope.md section 6, steps 7 to 9). Every signer that comes with a statement counts: one that is
 * unknown, lacks the role or signs badly refuses the statement instead of being left out. Timing: variable, all public.
 */
import { equals } from "../bytes/octets.ts";
import { importPublicKey } from "../crypto/ecdsa-p256.ts";
import type { WebpushMessage } from "./format.ts";
import type { Role } from "./roles.ts";
import { refuse } from "./refusal.ts";
import { signingInputOf } from "../crypto/jws.ts";
import type { RootDocument, RootKey } from "./documents.ts";
import type { Use } from "./types.ts";

export interface SignerKey extends RootKey {
  /** 64 bytes, as the envelope has it; of any length before it was verified. */
  readonly signature: Uint8Array;
}

/** Roles of which all signers must share one, by use; a `msg` is signed by no key of a root. */
const ROLES_FOR: Readonly<Record<Use, readonly Role[]>> = {
  root: ["root"],
  cfg: ["cfg"],
  set: ["cfg"],
  fresh: ["fresh", "cfg"],
  push: ["push"],
  msg: [],
};

/** @throws VerifyError KEY_UNKNOWN, KEY_ROLE, SIGNATURE, THRESHOLD. */
export function verifySigners(envelope: WebpushMessage, use: Use, root: RootDocument): void {
  const roles = ROLES_FOR[use];
  const signers = signaturesOf(envelope).map(({ k, signature }): SignerKey => {
    const key = findKey(root, k) ?? refuse("KEY_UNKNOWN", "a signer that the root does not name");
    if (!roles.some((role) => key.roles.includes(role))) refuse("KEY_ROLE", `a signer without the role ${roles[0]}`);
    return { ...key, signature };
  });
  const shared = roles.filter((role) => signers.every((signer) => signer.roles.includes(role)));
  if (shared.length === 0) refuse("KEY_ROLE", "signers of different roles");
  verifySignatures(signers, envelope);
  assertDistinct(signers);
  if (!shared.some((role) => signers.length >= root.thresholds[role])) refuse("THRESHOLD", "too few signers");
}

/** Sender first, then cosigners in their order. */
export function signaturesOf({
  sender,
  cosigners,
}: WebpushMessage): readonly { k: Uint8Array; signature: Uint8Array }[] {
  return [sender, ...cosigners].map(({ k, tSignature }) => ({ k, signature: tSignature }));
}

/** The key of a root whose point, without its 0x04, is `k`. */
export function findKey(root: RootDocument, k: Uint8Array): RootKey | undefined {
  return root.keys.find(({ publicKey }) => Buffer.compare(publicKey.subarray(1), k) === 0);
}

/** @throws VerifyError SIGNATURE. */
export function verifySignatures(signers: readonly SignerKey[], envelope: WebpushMessage): void {
  const message = signingInputOf(envelope.sender.data);
  for (const { publicKey, signature } of signers) {
    if (!importPublicKey(publicKey).verify(message, signature)) refuse("SIGNATURE", "a signature does not verify");
  }
}

/** @throws VerifyError THRESHOLD. */
export function assertDistinct(signers: readonly SignerKey[]): void {
  const repeated = signers.some(({ publicKey }, i) =>
    signers.slice(0, i).some((before) => equals(before.publicKey, publicKey)),
  );
  if (repeated) refuse("THRESHOLD", "a key signed twice");
}
