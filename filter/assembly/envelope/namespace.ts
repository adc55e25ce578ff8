/** A namespace (docs/envelope.md section 8): root chain, fresh, set, statements, floors, in this order. */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { ENVELOPES_MAX_COUNT } from "../gen/limits";
import { parseU64 } from "../wire/decimal";
import { Json } from "../wire/json";
import { Claim, Claims } from "./claims";
import { Clock } from "./clock";
import { checkFloors, rootCd } from "./floors";
import { RootChain, countingIatMax, verifyRootChain } from "./root";
import { RootDocument } from "./root-document";
import { SetDocument, SetEntry } from "./set-document";
import { Statement, StatementContext, verifyListed, verifyStatement } from "./statement";
import { TrustState } from "./trust-state";
import { Bundle, VerifyOptions, Want } from "./types";
import { Use } from "./use";
import { Verdict } from "./verdict";

/** One verified cfg statement that the consumer wants. */
@final
export class Payload {
  constructor(
    readonly rt: View,
    readonly name: View,
    /** u64 text */
    readonly ver: View,
    /** The exact JSON bytes of the object. */
    readonly data: View,
    /** The same, parsed. */
    readonly json: Json,
  ) {}
}

/** Everything but the verdict is meaningful only when both `code` and `timeCode` are OK; with `deferTime` and a `timeCode`,
 *  payloads and root are authentic but must not be applied at this moment. */
@final
export class NamespaceResult {
  code: Code = Code.OK;
  where: string = "";
  timeCode: Code = Code.OK;
  timeWhere: string = "";
  payloads: Payload[] = [];
  /** The last root; null when the chain was refused. */
  root: RootDocument | null = null;
  /** Null unless `code` is OK. */
  next: TrustState | null = null;
  freshExpSec: i64 = 0;
  /** Smallest `exp` of everything that was verified, of the roots only the last one's. */
  expiresAtSec: i64 = i64.MAX_VALUE;
}

/** Verifies all that a namespace's owner says; the first fault in the order of the specification gives the code. Never traps;
 *  memory is bounded by the input. */
export function verifyNamespace(ns: View, bundle: Bundle, options: VerifyOptions): NamespaceResult {
  const check = new NamespaceCheck(ns, bundle, options);
  const passed =
    check.counts() &&
    check.roots() &&
    check.fresh() &&
    check.set() &&
    check.recipient() &&
    check.statements() &&
    check.complete() &&
    check.floors();
  return check.finish(passed);
}

/** Each method is one step and tells whether checking goes on. */
@final
class NamespaceCheck {
  private readonly result: NamespaceResult = new NamespaceResult();
  private readonly verdict: Verdict;
  private readonly next: TrustState = new TrustState();
  private currentSet: SetDocument = new SetDocument();
  private setVer: View = View.empty();
  private setCd: View = View.empty();
  private chain: RootChain = new RootChain();
  private context!: StatementContext;

  constructor(
    private readonly ns: View,
    private readonly bundle: Bundle,
    private readonly options: VerifyOptions,
  ) {
    this.verdict = new Verdict(options.deferTime);
  }

  counts(): bool {
    if (this.options.want.use != Use.Cfg) return this.verdict.allows(Code.USE, "want");
    return this.bundle.envelopes.length <= ENVELOPES_MAX_COUNT || this.verdict.allows(Code.SIZE, "envelopes");
  }

  roots(): bool {
    const chain = verifyRootChain(this.ns, this.bundle.roots, this.options, this.verdict);
    if (chain == null) return false;
    const root = chain.last();
    const clock = new Clock(this.options.nowMs, countingIatMax(root, this.options));
    this.context = new StatementContext(this.ns, root, clock, this.options, this.verdict);
    this.context.expiredFresh = Code.FRESH_STALE;
    this.chain = chain;
    this.result.root = root;
    this.result.expiresAtSec = chain.expSec;
    this.next.iatMax = max(chain.iatMaxSec, clock.iatMaxSec);
    return true;
  }

  fresh(): bool {
    const text = this.bundle.fresh;
    if (text == null) return this.verdict.allows(Code.FRESH_STALE, "fresh");
    const statement = verifyStatement(text, new Want(Use.Fresh), this.context, "fresh");
    if (statement == null) return false;
    const document = statement.document.fresh!;
    this.setVer = document.setVer;
    this.setCd = document.setCd;
    this.next.freshVer = parseU64(statement.claims.text(Claim.Ver));
    this.next.freshCd = statement.claims.text(Claim.Cd);
    this.result.freshExpSec = statement.claims.integer(Claim.Exp);
    this.note(statement.claims);
    return true;
  }

  set(): bool {
    const text = this.bundle.set;
    if (text == null) return this.verdict.allows(Code.SET_MISMATCH, "set");
    const statement = verifyStatement(text, new Want(Use.Set), this.context, "set");
    if (statement == null) return false;
    const claims = statement.claims;
    const isNamed = claims.text(Claim.Ver).equals(this.setVer) && claims.text(Claim.Cd).equals(this.setCd);
    if (!isNamed) return this.verdict.allows(Code.SET_MISMATCH, "set");
    this.currentSet = statement.document.set!;
    this.next.setVer = parseU64(this.setVer);
    this.next.setCd = this.setCd;
    this.note(claims);
    return true;
  }

  /** Nobody makes a sealed DENY vanish by taking the key away. */
  recipient(): bool {
    if (this.currentSet.rcps.length == 0) return true;
    const recipient = this.options.recipient;
    const isListed = recipient != null && this.currentSet.hasRecipient(recipient.id);
    return isListed || this.verdict.allows(Code.RECIPIENT, "set");
  }

  statements(): bool {
    const texts = this.bundle.envelopes;
    for (let i = 0; i < texts.length; i++) {
      const where = `envelopes[${i}]`;
      const statement = verifyListed(texts[i], this.options.want, this.context, where);
      if (statement == null || !this.verdict.allows(this.tickOff(statement.claims), where)) return false;
      this.note(statement.claims);
      this.keep(statement);
    }
    return true;
  }

  complete(): bool {
    const entries = this.currentSet.entries;
    for (let i = 0; i < entries.length; i++) {
      if (this.isOmitted(entries[i])) return this.verdict.allows(Code.OMITTED, "set");
    }
    return true;
  }

  floors(): bool {
    const root = this.chain.last();
    this.next.ep = root.ep;
    this.next.minEp = root.minEp;
    this.next.rootCd = rootCd(root);
    const state = this.options.state;
    return state == null || this.verdict.allowsNow(checkFloors(this.next, state, this.chain), "state");
  }

  finish(passed: bool): NamespaceResult {
    const result = this.result;
    result.code = this.verdict.code;
    result.where = this.verdict.where;
    result.timeCode = this.verdict.timeCode;
    result.timeWhere = this.verdict.timeWhere;
    if (passed) result.next = this.next;
    else result.payloads = [];
    return result;
  }

  /** NOT_IN_SET, MIXED. */
  private tickOff(claims: Claims): Code {
    const entry = this.currentSet.entry(claims.text(Claim.Rt), claims.text(Claim.Name));
    if (entry == null) return Code.NOT_IN_SET;
    const item = entry.item(claims.text(Claim.Rcp));
    if (!entry.ver.equals(claims.text(Claim.Ver)) || item == null) return Code.MIXED;
    if (item.seen || !item.cd.equals(claims.text(Claim.Cd))) return Code.MIXED;
    item.seen = true;
    return Code.OK;
  }

  private isOmitted(entry: SetEntry): bool {
    const want = this.options.want;
    if (!isAny(want.rt, entry.rt) || !isAny(want.name, entry.name)) return false;
    const recipient = this.options.recipient;
    let item = entry.item(View.empty());
    if (item == null && recipient != null) item = entry.item(recipient.id);
    return item != null && !item.seen;
  }

  private note(claims: Claims): void {
    this.next.iatMax = max(this.next.iatMax, claims.integer(Claim.Iat));
    this.result.expiresAtSec = min(this.result.expiresAtSec, claims.integer(Claim.Exp));
  }

  private keep(statement: Statement): void {
    const data = statement.payload;
    const json = statement.document.cfg;
    if (data == null || json == null) return;
    const claims = statement.claims;
    const payload = new Payload(claims.text(Claim.Rt), claims.text(Claim.Name), claims.text(Claim.Ver), data, json);
    this.result.payloads.push(payload);
  }
}

function isAny(wanted: View | null, actual: View): bool {
  return wanted == null || wanted.equals(actual);
}
