/** The root chain (docs/envelope.md section 7): from the pin to the root that is in force. */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { CFG_TTL_MAX_SEC, ROOT_CHAIN_MAX_COUNT } from "../gen/limits";
import { decodeBase64Url } from "../wire/base64url";
import { audience } from "./audience";
import { Claim, Claims, readClaims } from "./claims";
import { Clock, lifetimeSec } from "./clock";
import { digestOf, parseDigest } from "./digest";
import { Envelope, readEnvelope } from "./envelope";
import { Pin } from "./pin";
import { RootDocument, parseRoot } from "./root-document";
import { isRootSigned } from "./signers";
import { VerifyOptions } from "./types";
import { Use } from "./use";
import { Verdict } from "./verdict";

/** The verified roots, the pinned one first. */
@final
export class RootChain {
  roots: RootDocument[] = [];
  /** Largest `iat` of them. */
  iatMaxSec: i64 = 0;
  /** `exp` of the last one. */
  expSec: i64 = 0;

  last(): RootDocument {
    return this.roots[this.roots.length - 1];
  }
}

/** UNPINNED, ROOT_INVALID, ROOT_GAP, PROTO; of the last root also NOT_YET_VALID, EXPIRED, TTL_TOO_LONG. Null when `verdict` has
 *  a fault that stops. */
export function verifyRootChain(ns: View, texts: View[], options: VerifyOptions, verdict: Verdict): RootChain | null {
  const pinned = options.pin.rootDigest(ns);
  if (pinned == null) {
    verdict.allows(Code.UNPINNED, "roots");
    return null;
  }
  if (texts.length == 0 || texts.length > ROOT_CHAIN_MAX_COUNT) {
    verdict.allows(Code.ROOT_INVALID, "roots");
    return null;
  }
  const check = new ChainCheck(ns, pinned, options, verdict);
  for (let i = 0; i < texts.length; i++) if (!check.next(texts[i], i, i == texts.length - 1)) return null;
  const chain = check.chain;
  if (!verdict.allows(chain.roots.length > 0 ? Code.OK : Code.ROOT_INVALID, "roots")) return null;
  const tables = options.tables;
  if (tables != null) tables.accept(chain.last());
  return chain;
}

@final
class ChainCheck {
  readonly chain: RootChain = new RootChain();

  constructor(
    private readonly ns: View,
    private readonly pinned: View,
    private readonly options: VerifyOptions,
    private readonly verdict: Verdict,
  ) {}

  /** Checks the root at `index`; whether the chain goes on. */
  next(text: View, index: i32, isLast: bool): bool {
    const where = `roots[${index}]`;
    const read = readEnvelope(text, Use.Root);
    const envelope = read.envelope;
    if (envelope == null) return this.verdict.allows(unreadable(text, read.code), where);
    const digest = digestOf(envelope.data);
    if (this.chain.roots.length == 0 && !digest.equals(this.pinned)) return true;
    const claims = readClaims(envelope.sender().claims, Use.Root).claims;
    const root = parseRoot(envelope.data);
    if (claims == null || root == null || !hasDigest(claims, digest)) return this.invalid(where);
    root.digest = digest;
    if (!this.follows(root)) return this.verdict.allows(Code.ROOT_GAP, where);
    if (!this.belongs(root, claims)) return this.invalid(where);
    if (!isRootSigned(envelope, root, this.previous(), this.options)) return this.invalid(where);
    if (!this.isTimely(root, claims, isLast, where)) return false;
    if (!matchesBody(claims, root, envelope)) return this.invalid(where);
    this.append(root, claims);
    return true;
  }

  private invalid(where: string): bool {
    return this.verdict.allows(Code.ROOT_INVALID, where);
  }

  private previous(): RootDocument | null {
    return this.chain.roots.length == 0 ? null : this.chain.last();
  }

  private follows(root: RootDocument): bool {
    const previous = this.previous();
    return previous == null || root.ep == previous.ep + 1;
  }

  private belongs(root: RootDocument, claims: Claims): bool {
    const pin = this.options.pin;
    if (!root.ns.equals(this.ns) || !root.mesh.equals(pin.mesh) || !root.trustDomain.equals(pin.trustDomain))
      return false;
    const previous = this.previous();
    if (previous != null && root.minEp != previous.minEp && root.minEp != root.ep) return false;
    return claims.text(Claim.Aud).equals(audience(this.ns, pin)) && claims.text(Claim.Ns).equals(this.ns);
  }

  /** Only the last root must not be expired, and only its time faults keep their names. */
  private isTimely(root: RootDocument, claims: Claims, isLast: bool, where: string): bool {
    const clock = new Clock(this.options.nowMs, countingIatMax(root, this.options));
    const isTooLong = lifetimeSec(claims) > CFG_TTL_MAX_SEC;
    if (isLast) {
      const lifetime = isTooLong ? Code.TTL_TOO_LONG : Code.OK;
      return this.verdict.allowsNow(clock.check(claims), where) && this.verdict.allows(lifetime, where);
    }
    const now = clock.isNotYetValid(claims) ? Code.ROOT_INVALID : Code.OK;
    return this.verdict.allowsNow(now, where) && this.verdict.allows(isTooLong ? Code.ROOT_INVALID : Code.OK, where);
  }

  private append(root: RootDocument, claims: Claims): void {
    this.chain.roots.push(root);
    this.chain.iatMaxSec = max(this.chain.iatMaxSec, claims.integer(Claim.Iat));
    this.chain.expSec = claims.integer(Claim.Exp);
  }
}

/** The state's `iatMax`, unless the last root of the chain resets it. */
export function countingIatMax(last: RootDocument, options: VerifyOptions): i64 {
  const state = options.state;
  return state == null || last.minEp > state.minEp ? 0 : state.iatMax;
}

/** PROTO when the text is not base64url at all, else ROOT_INVALID. */
function unreadable(text: View, code: Code): Code {
  return code == Code.PROTO && decodeBase64Url(text) == null ? Code.PROTO : Code.ROOT_INVALID;
}

function hasDigest(claims: Claims, digest: View): bool {
  const claimed = parseDigest(claims.text(Claim.Cd));
  return claimed != null && claimed.equals(digest);
}

function matchesBody(claims: Claims, root: RootDocument, envelope: Envelope): bool {
  return (
    claims.integer(Claim.Ep) == root.ep &&
    claims.integer(Claim.Len) == envelope.data.length &&
    envelope.contentEncoding == 0
  );
}
