/**
 * All statements of a namespace (docs/envelope.md section 8): that each is authentic is not enough, the whole has to be the
 * one that the owner published last, with nothing left out.
 */
import { keyIdOf } from "../crypto/sha256.ts";
import { ENVELOPES_MAX_COUNT } from "../gen/limits.ts";
import { checking, refuse } from "./refusal.ts";
import { iatMaxSecOf, lastOf, verifyRootChain } from "./roots.ts";
import { SignatureBudget } from "./signature-budget.ts";
import { checkFloors, nextState } from "./state.ts";
import type { Version } from "./state.ts";
import {
  authenticate,
  checkPayload,
  openPayload,
  openStatement,
  parseFreshPayload,
  parseSetPayload,
} from "./statement.ts";
import type { AuthenticStatement, StatementContext } from "./statement.ts";
import type { FreshDocument, SetDocument, SetEntry } from "./documents.ts";
import type { EnvelopeInput, Payload, Pin, Recipient, TrustState, VerifiedNamespace, Want } from "./types.ts";

export interface NamespaceInput {
  readonly pin: Pin;
  readonly ns: string;
  /** Oldest first. */
  readonly roots: readonly EnvelopeInput[];
  readonly fresh?: EnvelopeInput | undefined;
  readonly set?: EnvelopeInput | undefined;
  readonly envelopes: readonly EnvelopeInput[];
  /** `rt` and `name` that this consumer takes; all, where absent. No other use than `cfg` can be wanted of a namespace. */
  readonly want?: Partial<Want>;
  readonly nowMs: number;
  readonly state?: TrustState | undefined;
  readonly recipient?: Recipient | undefined;
}

/** @throws VerifyError */
export function checkNamespace(input: NamespaceInput): VerifiedNamespace {
  const { nowMs, state, recipient, want = {} } = input;
  if (want.use !== undefined && want.use !== "cfg") checking("want", () => refuse("USE", "not cfg"));
  if (input.envelopes.length > ENVELOPES_MAX_COUNT) checking("envelopes", () => refuse("SIZE", "too many statements"));
  const signatures = new SignatureBudget();
  const chain = verifyRootChain(input, signatures);
  const root = lastOf(chain);
  const clock = { nowMs, iatMaxSec: iatMaxSecOf(state, root.document) };
  const context: StatementContext = { root: root.document, clock, recipient, signatures };
  const fresh = verifyFresh(input.fresh, context);
  const set = verifySet(input.set, fresh.document.set, context);
  const ownId = recipient && keyIdOf(recipient.key.publicKey);
  checkReadable(set.document, ownId);
  const members = verifyMembers(input.envelopes, { set: set.document, ownId, want, context });
  checkComplete(set.document, members, { ownId, want });
  const observed = { chain, set, fresh, iatMaxSec: latest([...chain, fresh, set, ...members]) };
  if (state) {
    checking("state", () => {
      checkFloors(observed, state);
    });
  }
  return {
    result: "ok",
    payloads: members.flatMap(({ payload }) => payload ?? []),
    root: root.document,
    next: nextState(observed, state),
    freshExpSec: fresh.exp,
    expiresAtSec: Math.min(...[root, fresh, set, ...members].map(({ exp }) => exp)),
  };
}

/** Of a statement that was verified, what the whole needs to know. */
interface Lifetime {
  readonly iat: number;
  readonly exp: number;
}

function latest(verified: readonly Lifetime[]): number {
  return Math.max(...verified.map(({ iat }) => iat));
}

interface VerifiedDocument<D> extends Lifetime, Version {
  readonly document: D;
}

/** Step 3. */
function verifyFresh(text: EnvelopeInput | undefined, context: StatementContext): VerifiedDocument<FreshDocument> {
  return checking(
    "fresh",
    () => {
      if (text === undefined) refuse("FRESH_STALE", "no fresh statement");
      const { claims, payload } = openStatement(text, { use: "fresh" }, context);
      const { ver = "", cd, iat, exp } = claims;
      return { document: parseFreshPayload(payload), ver, cd, iat, exp };
    },
    (code) => (code === "EXPIRED" ? "FRESH_STALE" : code),
  );
}

/** Step 4. */
function verifySet(
  text: EnvelopeInput | undefined,
  current: Version,
  context: StatementContext,
): VerifiedDocument<SetDocument> {
  return checking("set", () => {
    if (text === undefined) refuse("SET_MISMATCH", "no set");
    const { claims, payload } = openStatement(text, { use: "set" }, context);
    const document = parseSetPayload(payload);
    const { ver = "", cd, iat, exp } = claims;
    if (ver !== current.ver || cd !== current.cd) refuse("SET_MISMATCH", "not the set that fresh names");
    return { document, ver, cd, iat, exp };
  });
}

/** Step 5: who cannot read a part of a namespace does not know its policy. */
function checkReadable({ rcps }: SetDocument, ownId: string | undefined): void {
  if (rcps.length > 0 && (ownId === undefined || !rcps.includes(ownId))) {
    checking("set", () => refuse("RECIPIENT", "the set has sealed objects, and none for this recipient"));
  }
}

interface Member extends Lifetime {
  readonly rt: string;
  readonly name: string;
  readonly rcp: string | undefined;
  /** Undefined when it is for another consumer. */
  readonly payload: Payload | undefined;
}

interface MembersContext {
  readonly set: SetDocument;
  readonly ownId: string | undefined;
  readonly want: Pick<Want, "rt" | "name">;
  readonly context: StatementContext;
}

/** Step 6. */
function verifyMembers(texts: readonly EnvelopeInput[], members: MembersContext): readonly Member[] {
  const entries = new Map(members.set.entries.map((entry) => [memberKey(entry.rt, entry.name), entry]));
  const seen = new Set<string>();
  return texts.map((text, i) =>
    checking(`envelopes[${i}]`, () => {
      const statement = authenticate(text, "cfg", members.context);
      const member = readMember(statement, members);
      checkListed(statement, entries.get(memberKey(member.rt, member.name)));
      const key = memberKey(member.rt, member.name, member.rcp ?? "");
      if (seen.has(key)) refuse("MIXED", "the same object twice");
      seen.add(key);
      return member;
    }),
  );
}

function readMember(statement: AuthenticStatement, { ownId, want, context }: MembersContext): Member {
  const { rt = "", name = "", ver = "", rcp, iat, exp } = statement.claims;
  const wanted = isWanted({ rt, name }, want);
  const readable = rcp === undefined || (rcp === ownId && wanted);
  const data = readable ? openPayload(statement, context.recipient) : undefined;
  if (data) checkPayload(data, statement.claims);
  return { rt, name, rcp, iat, exp, payload: data && wanted ? { rt, name, ver, data } : undefined };
}

function checkListed({ claims }: AuthenticStatement, entry: SetEntry | undefined): void {
  if (entry === undefined) refuse("NOT_IN_SET", "the set does not list it");
  if (claims.ver !== entry.ver) refuse("MIXED", `the set lists version ${entry.ver}`);
  if (!entry.cds.some(({ cd, rcp }) => rcp === claims.rcp && cd === claims.cd)) {
    refuse("MIXED", "the set lists another content");
  }
}

/** Step 7. */
function checkComplete(
  { entries }: SetDocument,
  members: readonly Member[],
  { ownId, want }: Pick<MembersContext, "ownId" | "want">,
): void {
  const present = new Set(members.map(({ rt, name, rcp }) => memberKey(rt, name, rcp ?? "")));
  for (const entry of entries.filter((candidate) => isWanted(candidate, want))) {
    const needed = entry.cds.find(({ rcp }) => rcp === undefined || rcp === ownId);
    if (needed && !present.has(memberKey(entry.rt, entry.name, needed.rcp ?? ""))) {
      checking("set", () => refuse("OMITTED", `${entry.rt} ${entry.name} was left out`));
    }
  }
}

function isWanted({ rt, name }: { rt: string; name: string }, want: Pick<Want, "rt" | "name">): boolean {
  return (want.rt === undefined || want.rt === rt) && (want.name === undefined || want.name === name);
}

/** Texts in claims are free to hold any character; lengths keep the parts apart. */
function memberKey(rt: string, name: string, rcp = ""): string {
  return `${rt.length} ${name.length} ${rt}${name}${rcp}`;
}
