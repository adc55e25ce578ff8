/** One statement (docs/envelope.md section 6). Claims and payload are readable only after every check has passed. */
import { View } from "../bytes/view";
import { wipe } from "../bytes/wipe";
import { Code } from "../gen/codes";
import { equalsAscii } from "../wire/ascii";
import { Json } from "../wire/json";
import { audience } from "./audience";
import { parseCfg } from "./cfg-document";
import { Claim, Claims, readClaims } from "./claims";
import { Clock, lifetimeSec } from "./clock";
import { decrypt, withoutPreamble } from "./decrypt";
import { digestText } from "./digest";
import { Envelope, readEnvelope } from "./envelope";
import { FreshDocument, parseFresh } from "./fresh-document";
import { RootDocument } from "./root-document";
import { SetDocument, parseSet } from "./set-document";
import { checkSigners } from "./signers";
import { VerifyOptions, Want } from "./types";
import { Use, lifetimeMaxSec } from "./use";
import { Verdict } from "./verdict";

/** A verified payload in the form that its use has. */
@final
export class Document {
  cfg: Json | null = null;
  set: SetDocument | null = null;
  fresh: FreshDocument | null = null;

  /** Whether `payload` is what docs/envelope.md section 5 says of this use. */
  read(use: Use, payload: View, claims: Claims): bool {
    switch (use) {
      case Use.Cfg:
        this.cfg = parseCfg(payload, claims);
        return this.cfg != null;
      case Use.Set:
        this.set = parseSet(payload);
        return this.set != null;
      case Use.Fresh:
        this.fresh = parseFresh(payload);
        return this.fresh != null;
      default:
        return use == Use.Push;
    }
  }
}

/** A verified statement. */
@final
export class Statement {
  constructor(
    readonly claims: Claims,
    /** Null when the consumer does not want it. */
    readonly payload: View | null,
    readonly document: Document,
  ) {}
}

/** What the statements of one namespace are checked against. */
@final
export class StatementContext {
  /** What an expired fresh is called: FRESH_STALE when a namespace is checked. */
  expiredFresh: Code = Code.EXPIRED;
  readonly aud: View;

  constructor(
    readonly ns: View,
    readonly root: RootDocument,
    readonly clock: Clock,
    readonly options: VerifyOptions,
    readonly verdict: Verdict,
  ) {
    this.aud = audience(ns, options.pin);
  }
}

/** All of section 6. Null when the verdict has a fault that stops. */
export function verifyStatement(text: View, want: Want, context: StatementContext, where: string): Statement | null {
  const check = new StatementCheck(context, want, where);
  return check.authenticate(text) && check.isWanted() && check.open() ? check.statement() : null;
}

/** A cfg statement of a namespace: one that is not wanted, or sealed for somebody else, is no fault and has no payload. */
export function verifyListed(text: View, want: Want, context: StatementContext, where: string): Statement | null {
  const check = new StatementCheck(context, want, where);
  if (!check.authenticate(text)) return null;
  return (check.isForConsumer() ? check.open() : check.glance()) ? check.statement() : null;
}

/** Each method is one or more steps and tells whether checking goes on; the fault is in the context's verdict. */
@final
class StatementCheck {
  private envelope: Envelope = new Envelope();
  private claims: Claims = new Claims();
  private payload: View | null = null;
  private document: Document = new Document();

  constructor(
    private readonly context: StatementContext,
    private readonly want: Want,
    private readonly where: string,
  ) {}

  statement(): Statement {
    return new Statement(this.claims, this.payload, this.document);
  }

  /** Steps 1 to 13. */
  authenticate(text: View): bool {
    return (
      this.read(text) &&
      this.allows(this.addressee()) &&
      this.allows(checkSigners(this.envelope, this.want.use, this.context.root, this.context.options)) &&
      this.isTimely() &&
      this.allows(this.binding())
    );
  }

  /** Step 14. */
  isWanted(): bool {
    const want = this.want;
    if (!this.matches(Claim.Rt, want.rt)) return this.allows(Code.TYPE);
    if (!this.matches(Claim.Name, want.name)) return this.allows(Code.NAME);
    if (want.use != Use.Push) return true;
    if (!this.matches(Claim.Sid, want.sid)) return this.allows(Code.SESSION);
    return this.matches(Claim.Seq, want.seq) || this.allows(Code.SEQUENCE);
  }

  isForConsumer(): bool {
    const wanted = this.matches(Claim.Rt, this.want.rt) && this.matches(Claim.Name, this.want.name);
    return wanted && (!this.claims.isSealed() || this.isRecipient());
  }

  /** Steps 15 and 16. */
  open(): bool {
    const payload = this.claims.isSealed() ? this.unseal() : this.envelope.data;
    if (payload == null) return false;
    this.payload = payload;
    const isRead = this.document.read(this.want.use, payload, this.claims);
    if (!isRead && this.claims.isSealed()) wipe(payload.ptr, payload.length);
    return this.allows(isRead ? Code.OK : Code.PAYLOAD);
  }

  /** Step 16 of what yields no payload. */
  glance(): bool {
    if (this.claims.isSealed()) return true;
    return this.allows(this.document.read(this.want.use, this.envelope.data, this.claims) ? Code.OK : Code.PAYLOAD);
  }

  private allows(code: Code): bool {
    return this.context.verdict.allows(code, this.where);
  }

  /** Steps 1 to 4. */
  private read(text: View): bool {
    const read = readEnvelope(text, this.want.use);
    const envelope = read.envelope;
    if (envelope == null) return this.allows(read.code);
    const checked = readClaims(envelope.sender().claims, this.want.use);
    const claims = checked.claims;
    if (claims == null) return this.allows(checked.code);
    this.envelope = envelope;
    this.claims = claims;
    return true;
  }

  /** Steps 5 and 6. */
  private addressee(): Code {
    if (!this.claims.text(Claim.Aud).equals(this.context.aud)) return Code.AUDIENCE;
    return this.claims.text(Claim.Ns).equals(this.context.ns) ? Code.OK : Code.NAMESPACE;
  }

  /** Step 10. */
  private isTimely(): bool {
    const use = this.want.use;
    let now = this.context.clock.check(this.claims);
    if (now == Code.EXPIRED && use == Use.Fresh) now = this.context.expiredFresh;
    const isTooLong = lifetimeSec(this.claims) > lifetimeMaxSec(use, this.context.root.maxFreshSec);
    return this.context.verdict.allowsNow(now, this.where) && this.allows(isTooLong ? Code.TTL_TOO_LONG : Code.OK);
  }

  /** Steps 11 to 13. */
  private binding(): Code {
    const claims = this.claims;
    const root = this.context.root;
    const data = this.envelope.data;
    const ep = claims.integer(Claim.Ep);
    if (ep < root.minEp || ep > root.ep) return Code.EPOCH;
    if (claims.integer(Claim.Len) != data.length) return Code.LENGTH;
    if (!claims.text(Claim.Cd).equals(digestText(data))) return Code.DIGEST;
    if (!claims.isSealed()) return this.envelope.contentEncoding == 0 ? Code.OK : Code.ENCODING;
    const isKnown = equalsAscii(claims.text(Claim.Ce), "aes128gcm") && this.envelope.contentEncoding == 1;
    return isKnown ? Code.OK : Code.ENCODING;
  }

  private matches(claim: Claim, wanted: View | null): bool {
    return wanted == null || (this.claims.has(claim) && this.claims.text(claim).equals(wanted));
  }

  private isRecipient(): bool {
    const recipient = this.context.options.recipient;
    return recipient != null && recipient.id.equals(this.claims.text(Claim.Rcp));
  }

  /** Step 15: the payload, or null after RECIPIENT, DECRYPT or INNER_MISMATCH. */
  private unseal(): View | null {
    const recipient = this.context.options.recipient;
    if (recipient == null || !this.isRecipient()) return this.refuse(Code.RECIPIENT);
    const signerK = this.envelope.sender().k;
    const text = decrypt(this.envelope.data, recipient, signerK);
    if (text == null) return this.refuse(Code.DECRYPT);
    const payload = withoutPreamble(text, this.claims, signerK);
    if (payload == null) wipe(text.ptr, text.length);
    return payload == null ? this.refuse(Code.INNER_MISMATCH) : payload;
  }

  private refuse(code: Code): View | null {
    this.allows(code);
    return null;
  }
}
