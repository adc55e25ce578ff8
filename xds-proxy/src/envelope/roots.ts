/**
 * The chain of roots, from the pinned one on (docs/envelope.md section 7). Every fault is `ROOT_INVALID`, except those that
 * say what to do: `PROTO` for text that is not base64url, `ROOT_GAP`, and the times of the last root.
 */
import { digestOf } from "../crypto/sha256.ts";
import type { Code } from "../gen/codes.ts";
import { CFG_TTL_MAX_SEC, ROOT_CHAIN_MAX_COUNT } from "../gen/limits.ts";
import { parseClaims } from "./claims.ts";
import type { Claims } from "./claims.ts";
import { decodeInput, parseEnvelope } from "./envelope.ts";
import type { UnverifiedEnvelope } from "./envelope.ts";
import { checking, parsing, refuse } from "./refusal.ts";
import { SignatureBudget } from "./signature-budget.ts";
import { assertDistinct, findKey, signaturesOf, verifySignatures } from "./signers.ts";
import type { SignerKey } from "./signers.ts";
import { checkDigest, checkEncoding, checkPlace } from "./statement.ts";
import { parseRoot } from "./documents.ts";
import type { RootDocument, RootKey } from "./documents.ts";
import { checkBegun, checkLifetime, checkTimes } from "./times.ts";
import type { EnvelopeInput, Pin, TrustState } from "./types.ts";

export interface VerifiedRoot {
  readonly document: RootDocument;
  /** base64url SHA-256 of its `data`. */
  readonly cd: string;
  readonly iat: number;
  readonly exp: number;
}

/** From the pinned root to the last one, `ep` growing by one. */
export type RootChain = readonly [VerifiedRoot, ...VerifiedRoot[]];

export interface RootsInput {
  readonly pin: Pin;
  readonly ns: string;
  /** Oldest first. */
  readonly roots: readonly EnvelopeInput[];
  readonly nowMs: number;
  readonly state?: Pick<TrustState, "minEp" | "iatMax"> | undefined;
}

/** @throws VerifyError UNPINNED, ROOT_INVALID, ROOT_GAP, PROTO, NOT_YET_VALID, EXPIRED, TTL_TOO_LONG. */
export function verifyRootChain(input: RootsInput, signatures: SignatureBudget = new SignatureBudget()): RootChain {
  const { pin, ns, roots } = input;
  const pinned = pinnedDigest(pin, ns);
  if (roots.length > ROOT_CHAIN_MAX_COUNT) refuseChain("ROOT_INVALID", "too many roots");
  const chain: VerifiedRoot[] = [];
  for (const [i, text] of roots.entries()) {
    const last = i === roots.length - 1;
    const bytes = checking(`roots[${i}]`, () => decodeInput(text, "root"), renameTextFault);
    const verifyNext = (): void => {
      const envelope = parseEnvelope(bytes, "root");
      const cd = digestOf(envelope.data);
      const previous = chain.at(-1);
      if (previous === undefined && cd !== pinned) return;
      chain.push(verifyRoot({ envelope, cd, previous: previous?.document, last, input, signatures }));
    };
    checking(`roots[${i}]`, verifyNext, last ? renameFaultOfLast : renameFault);
  }
  const [first, ...rest] = chain;
  return first === undefined ? refuseChain("ROOT_INVALID", "the pinned root is not in the chain") : [first, ...rest];
}

function pinnedDigest({ roots }: Pin, ns: string): string {
  return (Object.hasOwn(roots, ns) ? roots[ns] : undefined) ?? refuseChain("UNPINNED", `no root of ${ns} is pinned`);
}

function refuseChain(code: Code, message: string): never {
  return checking("roots", () => refuse(code, message));
}

function renameTextFault(code: Code): Code {
  return code === "PROTO" ? code : "ROOT_INVALID";
}

function renameFault(code: Code): Code {
  return code === "ROOT_GAP" ? code : "ROOT_INVALID";
}

function renameFaultOfLast(code: Code): Code {
  return code === "NOT_YET_VALID" || code === "EXPIRED" || code === "TTL_TOO_LONG" ? code : renameFault(code);
}

export function lastOf(chain: RootChain): VerifiedRoot {
  return chain.at(-1) ?? chain[0];
}

/** The largest `iat` that still counts as the past: raising `minEp` forgets it, so that a wrong one can be recovered from. */
export function iatMaxSecOf(state: RootsInput["state"], last: RootDocument): number {
  return state === undefined || last.minEp > state.minEp ? 0 : state.iatMax;
}

interface RootStep {
  readonly envelope: UnverifiedEnvelope;
  readonly cd: string;
  /** The root before it; none for the pinned one. */
  readonly previous: RootDocument | undefined;
  readonly last: boolean;
  readonly input: RootsInput;
  readonly signatures: SignatureBudget;
}

/** Steps 3 to 9. */
function verifyRoot({ envelope, cd, previous, last, input, signatures }: RootStep): VerifiedRoot {
  const claims = parseClaims(envelope.sender.data, "root");
  if (claims.cd !== cd) refuse("DIGEST", "cd is not the digest of data");
  const document = parsing("PAYLOAD", () => parseRoot(envelope.data));
  checkSuccession(document, previous, input);
  checkPlace(claims, document);
  signatures.take(signaturesOf(envelope).length);
  verifyRootSigners(envelope, document, previous);
  checkRootTimes(claims, { document, last, input });
  if (claims.ep !== document.ep) refuse("EPOCH", "the claim ep is not that of the payload");
  checkDigest(claims, envelope.data);
  checkEncoding(claims, envelope);
  return { document, cd, iat: claims.iat, exp: claims.exp };
}

/** Steps 4 and 5. */
function checkSuccession(document: RootDocument, previous: RootDocument | undefined, { pin, ns }: RootsInput): void {
  if (previous && document.ep !== previous.ep + 1) refuse("ROOT_GAP", `ep ${document.ep} after ${previous.ep}`);
  const { mesh, trustDomain } = document;
  if (document.ns !== ns || mesh !== pin.mesh || trustDomain !== pin.trustDomain) {
    refuse("ROOT_INVALID", "a root of another place");
  }
  if (previous && document.minEp !== previous.minEp && document.minEp !== document.ep) {
    refuse("ROOT_INVALID", "minEp is neither that of the root before nor ep");
  }
}

/** Step 7: the root before it and the root itself both have to agree; the pinned one is believed because it is pinned. */
function verifyRootSigners(envelope: UnverifiedEnvelope, own: RootDocument, previous: RootDocument | undefined): void {
  const judges = previous ? [previous, own] : [own];
  const signers: SignerKey[] = [];
  for (const { k, signature } of signaturesOf(envelope)) {
    const key = judges.map((root) => findRootKey(root, k)).find((found) => found !== undefined);
    if (key) signers.push({ ...key, signature });
    else if (previous) refuse("KEY_ROLE", "a signer without the role root");
  }
  verifySignatures(signers, envelope);
  assertDistinct(signers);
  for (const root of judges) {
    const count = signers.filter(({ publicKey }) => findRootKey(root, publicKey.subarray(1))).length;
    if (count < root.thresholds.root) refuse("THRESHOLD", `too few signers of root ${root.ep}`);
  }
}

function findRootKey(root: RootDocument, k: Uint8Array): RootKey | undefined {
  const key = findKey(root, k);
  return key?.roles.includes("root") ? key : undefined;
}

/** Step 8: only the last root of a chain must not be expired. */
function checkRootTimes(
  claims: Claims,
  { document, last, input }: Pick<RootStep, "last" | "input"> & { document: RootDocument },
): void {
  if (last) {
    const clock = { nowMs: input.nowMs, iatMaxSec: iatMaxSecOf(input.state, document) };
    checkTimes(claims, clock, CFG_TTL_MAX_SEC);
  } else {
    checkBegun(claims, { nowMs: input.nowMs });
    checkLifetime(claims, CFG_TTL_MAX_SEC);
  }
}
