/** Cases of root chains alone (docs/envelope.md section 7). */
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import type { Code } from "../../xds-proxy/src/gen/codes.ts";
import { caseFile, expectation } from "./case.ts";
import type { NamedCase } from "./case.ts";
import { json, KEYS, rootValue } from "./documents.ts";
import type { KeyRoles } from "./documents.ts";
import { forgeText, NOW_SEC } from "./forge.ts";
import type { ClaimValues, Forgery } from "./forge.ts";

export type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

export interface Link {
  readonly text: string;
  readonly cd: string;
}

export interface LinkOptions extends Partial<Omit<Forgery, "use" | "data">> {
  readonly keys?: readonly KeyRoles[];
  /** Members of the payload. */
  readonly changes?: ClaimValues;
  /** The payload itself. */
  readonly payload?: Uint8Array;
}

export function link(ep: number, { keys = KEYS, changes, payload, ...forgery }: LinkOptions = {}): Link {
  const data = payload ?? json(rootValue({ ep, ...changes }, keys));
  const claims = { ep, ...forgery.claims };
  return { text: forgeText({ use: "root", data, signers: ["root"], ...forgery, claims }), cd: digestOf(data) };
}

interface ChainOptions {
  /** Which link is pinned; the first. */
  readonly pinned?: number;
  readonly pin?: string;
  readonly nowMs?: number;
}

/** Without envelopes, `want.use` `root` checks the chain only. */
export function chain(
  [name, comment, verdict]: Row,
  links: readonly (Link | string)[],
  options: ChainOptions = {},
): NamedCase {
  const pinnedLink = links[options.pinned ?? 0];
  const pinned = options.pin ?? (typeof pinnedLink === "object" ? pinnedLink.cd : "");
  const file = caseFile({
    comment,
    pinned,
    roots: links.map((part) => (typeof part === "string" ? part : part.text)),
    envelopes: [],
    want: { use: "root" },
    nowMs: options.nowMs ?? NOW_SEC * 1000,
    expect: verdict === "ok" ? { result: "ok", payloads: [] } : expectation(verdict),
  });
  return [`root-${name}`, file];
}

export const one = (row: Row, options: LinkOptions): NamedCase => chain(row, [link(1, options)]);
export const two = (row: Row, second: LinkOptions, first: LinkOptions = {}): NamedCase =>
  chain(row, [link(1, first), link(2, second)]);
export const member = (row: Row, changes: ClaimValues): NamedCase => one(row, { changes });
export const INVALID = "ROOT_INVALID";
