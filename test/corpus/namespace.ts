/** Whole namespaces: a root chain, policies, the set that lists them and the fresh that names it, all consistent by default. */
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { digestOf, keyIdOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import { caseFile, expectation, oneRoot } from "./case.ts";
import type { CaseFile, CaseWant, Expected, RootChainParts, RootOptions } from "./case.ts";
import { json, policyValue } from "./documents.ts";
import { forge, forgeText, NOW_SEC, NS, POLICY_TYPE } from "./forge.ts";
import type { ClaimValues, Forgery, Seal } from "./forge.ts";
import { reader } from "./keys.ts";

export interface ObjectOptions {
  readonly name: string;
  readonly kind?: string;
  readonly ver?: string;
  readonly spec?: unknown;
  /** Names of recipients; one envelope for each. */
  readonly readers?: readonly string[];
  readonly forgery?: Partial<Forgery>;
  readonly seal?: Omit<Seal, "for">;
}

export interface ListedObject {
  readonly payload: Uint8Array;
  readonly entry: ClaimValues & { readonly rt: string; readonly name: string };
  readonly texts: readonly string[];
}

export function object(options: ObjectOptions): ListedObject {
  const { name, kind = "AuthorizationPolicy", ver = "1", spec = { rules: [{}] }, forgery } = options;
  const payload = json({ ...policyValue({ name, spec }), kind });
  const rt = POLICY_TYPE.replace("AuthorizationPolicy", kind);
  const claims = { rt, name: `${NS}/${name}`, ver, ...forgery?.claims };
  const statement: Forgery = { use: "cfg", data: payload, signers: ["cfg"], ...forgery, claims };
  const readers = options.readers?.map((id) => reader(id)) ?? [undefined];
  const sealed = readers
    .map((recipient) => {
      const bytes = forge({ ...statement, ...(recipient && { seal: { ...options.seal, for: recipient } }) });
      const cd = digestOf(decodeWebpushMessage(bytes).data);
      const rcp = recipient && keyIdOf(recipient.p256dh);
      return { text: encodeBase64Url(bytes), digest: { cd, ...(rcp && { rcp }) }, rcp: rcp ?? "" };
    })
    .sort((a, b) => (a.rcp < b.rcp ? -1 : 1));
  const cds = sealed.map(({ digest }) => digest);
  return { payload, entry: { rt, name: `${NS}/${name}`, ver, cds }, texts: sealed.map(({ text }) => text) };
}

export interface NamespaceOptions {
  readonly comment: string;
  readonly expect: Expected;
  readonly objects?: readonly ListedObject[];
  /** The carried statements; those of `objects` in order when absent. */
  readonly envelopes?: readonly string[];
  /** Entries of the set; those of `objects` when absent. */
  readonly entries?: readonly ClaimValues[];
  readonly rcps?: readonly string[];
  readonly set?: Partial<Forgery>;
  readonly fresh?: Partial<Forgery>;
  /** What fresh says about the set. */
  readonly names?: ClaimValues;
  readonly root?: RootOptions;
  readonly chain?: RootChainParts;
  /** Leaves them out. */
  readonly without?: readonly ("set" | "fresh")[];
  readonly replace?: { readonly set?: string; readonly fresh?: string };
  readonly want?: CaseWant;
  readonly state?: TrustState;
  readonly reader?: string;
  readonly nowMs?: number;
  /** The next state where it is not what `stateOf` says. */
  readonly next?: Partial<TrustState>;
}

export function namespaceCase(options: NamespaceOptions): CaseFile {
  const { comment, objects = [], without = [], replace = {}, expect } = options;
  const chain = options.chain ?? oneRoot(options.root);
  const made = statementsOf(options);
  return caseFile({
    comment,
    ...chain,
    fresh: without.includes("fresh") ? undefined : (replace.fresh ?? made.fresh),
    set: without.includes("set") ? undefined : (replace.set ?? made.set),
    envelopes: options.envelopes ?? objects.flatMap(({ texts }) => texts),
    want: options.want ?? { use: "cfg" },
    nowMs: options.nowMs ?? NOW_SEC * 1000,
    state: options.state,
    reader: options.reader === undefined ? undefined : reader(options.reader),
    expect: expectation(expect, { ...stateOf(made.setData, made.freshData, chain), ...options.next }),
  });
}

interface Statements {
  readonly set: string;
  readonly fresh: string;
  readonly setData: Uint8Array;
  readonly freshData: Uint8Array;
}

/** Set and fresh of a namespace. */
export function statementsOf(options: Omit<NamespaceOptions, "comment" | "expect">): Statements {
  const { objects = [], set, fresh, names } = options;
  const entries = [...(options.entries ?? objects.map(({ entry }) => entry))].sort(byName);
  const setData = set?.data ?? json({ kind: "Set", rcps: options.rcps ?? readersOf(entries), entries });
  const freshData =
    fresh?.data ?? json({ kind: "Fresh", set: { ver: set?.claims?.["ver"] ?? "1", cd: digestOf(setData), ...names } });
  return {
    set: forgeText({ use: "set", signers: ["cfg"], ...set, data: setData }),
    fresh: forgeText({ use: "fresh", signers: ["fresh"], ...fresh, data: freshData }),
    setData,
    freshData,
  };
}

function byName(a: ClaimValues, b: ClaimValues): number {
  const key = ({ rt, name }: ClaimValues): string => `${String(rt)} ${String(name)}`;
  return key(a) < key(b) ? -1 : 1;
}

function readersOf(entries: readonly ClaimValues[]): readonly string[] {
  const rcps = entries.flatMap(({ cds }) => (cds as readonly { rcp?: string }[]).flatMap(({ rcp }) => rcp ?? []));
  return [...new Set(rcps)].sort();
}

/** The state after a namespace with root 1, set 1 and fresh 1 of the usual times. */
export function stateOf(setData: Uint8Array, freshData: Uint8Array, chain: RootChainParts): TrustState {
  return {
    ...{ ep: 1, minEp: 1, rootCd: chain.pinned },
    ...{ setVer: "1", setCd: digestOf(setData), freshVer: "1", freshCd: digestOf(freshData) },
    iatMax: NOW_SEC - 600,
  };
}

export function ownId(name: string): string {
  return keyIdOf(reader(name).p256dh);
}
