/** Envelope cases (docs/envelope.md section 9): one JSON file each. */
import { hex, integer, list, members, text } from "./json.ts";
import type { Members } from "./json.ts";
import { UnreadableError } from "./unreadable.ts";
import { tryDecodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { USES } from "../../xds-proxy/src/envelope/types.ts";
import type { Pin, TrustState, Want } from "../../xds-proxy/src/envelope/types.ts";

export interface EnvelopeCase {
  /** Name of the file without `.json`. */
  readonly id: string;
  /** The case as strict JSON, which has nothing behind it. */
  readonly json: string;
  readonly pin: Pin;
  readonly ns: string;
  readonly roots: readonly string[];
  readonly fresh: string | undefined;
  readonly set: string | undefined;
  readonly envelopes: readonly string[];
  readonly want: Want;
  readonly nowMs: number;
  readonly state: TrustState | undefined;
  readonly recipient: RecipientBytes | undefined;
  readonly expect: Expectation;
}

export interface RecipientBytes {
  readonly privateKey: Uint8Array;
  readonly auth: Uint8Array;
}

/** `refused`: any code. */
export type Expectation =
  | { readonly result: "ok"; readonly payloads: readonly string[]; readonly state: TrustState | undefined }
  | { readonly result: string };

/** What an implementation made of a case. */
export interface EnvelopeVerdict {
  /** `ok` or a code. */
  readonly result: string;
  /** Of a refusal. */
  readonly where?: string;
  /** SHA-256 of each payload, hexadecimal. */
  readonly payloads?: readonly string[];
  readonly state?: unknown;
  readonly freshExpSec?: number;
  readonly expiresAtSec?: number;
}

export function parseEnvelopeCase(id: string, value: unknown): EnvelopeCase {
  const file = members(value, "the case");
  return {
    id,
    json: JSON.stringify(file),
    pin: readPin(members(file["pin"], "pin")),
    ns: text(file["ns"], "ns"),
    roots: texts(file["roots"], "roots"),
    fresh: optional(file["fresh"], (fresh) => text(fresh, "fresh")),
    set: optional(file["set"], (set) => text(set, "set")),
    envelopes: texts(file["envelopes"], "envelopes"),
    want: readWant(members(file["want"], "want")),
    nowMs: integer(file["nowMs"], "nowMs"),
    state: optional(file["state"], (state) => readState(members(state, "state"))),
    recipient: optional(file["recipient"], (recipient) => readRecipient(members(recipient, "recipient"))),
    expect: readExpectation(members(file["expect"], "expect")),
  };
}

/** Whether a verdict is the expected one. */
export function meets(expect: Expectation, verdict: EnvelopeVerdict): boolean {
  if (expect.result === "refused") return verdict.result !== "ok";
  if (expect.result !== verdict.result) return false;
  if (!("payloads" in expect)) return true;
  const sameState = expect.state === undefined || sameMembers(expect.state, verdict.state);
  return sameState && JSON.stringify(expect.payloads) === JSON.stringify(verdict.payloads);
}

function sameMembers(a: TrustState, b: unknown): boolean {
  return typeof b === "object" && b !== null && canonical(a) === canonical(b);
}

function canonical(object: object): string {
  return JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function readPin(pin: Members): Pin {
  const roots = members(pin["roots"], "pin.roots");
  return {
    mesh: text(pin["mesh"], "pin.mesh"),
    trustDomain: text(pin["trustDomain"], "pin.trustDomain"),
    roots: Object.fromEntries(Object.entries(roots).map(([ns, digest]) => [ns, text(digest, `pin.roots.${ns}`)])),
  };
}

function readWant(want: Members): Want {
  const use = USES.find((known) => known === want["use"]);
  if (use === undefined) throw new UnreadableError(`want.use is none of ${USES.join(", ")}`);
  const named = (["rt", "name", "sid", "seq"] as const).filter((name) => want[name] !== undefined);
  return { use, ...Object.fromEntries(named.map((name) => [name, text(want[name], `want.${name}`)])) };
}

function readState(state: Members): TrustState {
  return {
    ep: integer(state["ep"], "state.ep"),
    minEp: integer(state["minEp"], "state.minEp"),
    rootCd: text(state["rootCd"], "state.rootCd"),
    setVer: text(state["setVer"], "state.setVer"),
    setCd: text(state["setCd"], "state.setCd"),
    freshVer: text(state["freshVer"], "state.freshVer"),
    freshCd: text(state["freshCd"], "state.freshCd"),
    iatMax: integer(state["iatMax"], "state.iatMax"),
  };
}

function readRecipient(recipient: Members): RecipientBytes {
  bytes(recipient["p256dh"], 65, "recipient.p256dh");
  return {
    privateKey: bytes(recipient["privateKey"], 32, "recipient.privateKey"),
    auth: bytes(recipient["auth"], 16, "recipient.auth"),
  };
}

function readExpectation(expect: Members): Expectation {
  const result = text(expect["result"], "expect.result");
  if (result !== "ok") return { result };
  const payloads = texts(expect["payloads"], "expect.payloads");
  payloads.forEach((digest, i) => hex(digest, `expect.payloads[${i}]`));
  return { result, payloads, state: optional(expect["state"], (state) => readState(members(state, "expect.state"))) };
}

function texts(value: unknown, what: string): readonly string[] {
  return list(value, what).map((item, i) => text(item, `${what}[${i}]`));
}

function bytes(value: unknown, length: number, what: string): Uint8Array {
  const decoded = tryDecodeBase64Url(text(value, what));
  if (decoded?.length !== length) throw new UnreadableError(`${what} is not base64url of ${length} bytes`);
  return decoded;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}
