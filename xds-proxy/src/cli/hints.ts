/** What each refusal means to a person, in one sentence that also says what to do. */
import type { ErrorCode } from "../errors.ts";
import { CODES, type Code } from "../gen/codes.ts";

const REFUSALS: Readonly<Record<Code, string>> = {
  SIZE: "something is longer than proto/limits.json allows; make it smaller",
  PROTO: "the bytes are not an envelope; were they cut or re-encoded on the way?",
  CLAIMS: "the signed claims are malformed; sign again with a current wpgate",
  DOMAIN: "this is a token of ordinary web push, not configuration",
  USE: "an envelope of another kind is in this place",
  AUDIENCE: "it was signed for another namespace, mesh or trust domain",
  NAMESPACE: "it was signed for another namespace",
  KEY_UNKNOWN: "the signer is not in the current root; sign with a key that is, or rotate the root",
  KEY_ROLE: "the signer is in the root but may not sign this; use a key with the right role",
  SIGNATURE: "the signature is wrong: somebody changed it on the way, or another key made it",
  THRESHOLD: "too few different keys have signed; give more --signer",
  NOT_YET_VALID: "it was signed in the future; compare the clocks",
  EXPIRED: "its time is over; sign it again",
  TTL_TOO_LONG: "its lifetime is longer than allowed; sign it again with a shorter one",
  EPOCH: "it was signed under a root that has been revoked since; sign it again",
  LENGTH: "the content was changed after it had been signed",
  DIGEST: "the content was changed after it had been signed",
  TYPE: "an object of another type is in this place",
  NAME: "an object of another name is in this place",
  ENCODING: "what the envelope says about its encryption is not what was signed",
  RECIPIENT: "sealed content for somebody else; give the key it was sealed for",
  DECRYPT: "it can not be decrypted with this key and auth secret",
  INNER_MISMATCH: "what was encrypted is not what the envelope claims: a signature was put on a stranger's ciphertext",
  PAYLOAD: "the signed content is not what its kind must look like",
  UNSUPPORTED: "the filter can not enforce this, so it is refused as a whole, never half of it",
  UNPINNED: "nobody has pinned a root of this namespace here; see wpgate filter pin",
  ROOT_INVALID: "the root chain does not lead from the pinned root; was it replaced?",
  ROOT_GAP: "a root is missing in the chain; roots are delivered from the pinned one on",
  FRESH_STALE: "nobody has confirmed lately that this is the current set; run wpgate fresh",
  SET_MISMATCH: "the set is not the one that fresh names: an older one was put in its place",
  NOT_IN_SET: "the owner's set does not list this object",
  MIXED: "an object of another version is in the bundle, or it is there twice",
  OMITTED: "an object that the owner's set lists was left out on the way",
  ROLLBACK: "this consumer has already seen a newer state",
  EQUIVOCATION: "two different contents were signed under the same version; ask the owner which is right",
  SESSION: "it belongs to another session",
  SEQUENCE: "a message of this session is missing, repeated or out of order",
};

/** By error code; not every code outside of refusals has one. */
export const HINTS: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ...CODES.map((code) => [code, REFUSALS[code]] as const),
  ["PEM", "a private key is a PEM file that begins with -----BEGIN PRIVATE KEY-----; make one with wpgate keygen"],
  ["SIGNER", "the program reads the bytes to sign on stdin and writes the signature on stdout; see wpgate sign --help"],
]);
