/** A case of the corpus: the file format of docs/envelope.md section 9, and how cases are put together. */
import { createHash } from "node:crypto";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import type { Code } from "../../xds-proxy/src/gen/codes.ts";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import { json, rootValue } from "./documents.ts";
import type { KeyRoles } from "./documents.ts";
import { forgeText, MESH, NOW_SEC, NS, TRUST_DOMAIN } from "./forge.ts";
import type { ClaimValues, Forgery } from "./forge.ts";
import type { Reader } from "./keys.ts";

export interface CaseFile {
  readonly comment: string;
  readonly pin: {
    readonly mesh: string;
    readonly trustDomain: string;
    readonly roots: Readonly<Record<string, string>>;
  };
  readonly ns: string;
  readonly roots: readonly string[];
  readonly fresh?: string;
  readonly set?: string;
  readonly envelopes: readonly string[];
  readonly want: CaseWant;
  readonly nowMs: number;
  readonly state?: TrustState;
  readonly recipient?: { readonly privateKey: string; readonly p256dh: string; readonly auth: string };
  readonly expect: Expectation;
}

export interface CaseWant {
  readonly use: string;
  readonly rt?: string;
  readonly name?: string;
  readonly sid?: string;
  readonly seq?: string;
}

export type Expectation =
  | { readonly result: "ok"; readonly payloads: readonly string[]; readonly state?: TrustState }
  | { readonly result: Code | "refused" };

/** File name without its ending, and content. */
export type NamedCase = readonly [name: string, content: CaseFile];

/** Payloads for a verdict that is `ok`, a code for a refusal. */
export type Expected = readonly Uint8Array[] | Code;

/** The root that most cases have; `keys` and `changes` make another one. */
export interface RootOptions {
  readonly keys?: readonly KeyRoles[];
  readonly changes?: ClaimValues;
}

export interface RootChainParts {
  readonly roots: readonly string[];
  /** Digest of the pinned root. */
  readonly pinned: string;
}

/** A chain of one root. */
export function oneRoot({ keys, changes }: RootOptions = {}, forgery: Partial<Forgery> = {}): RootChainParts {
  const value = rootValue(changes, keys);
  const data = json(value);
  const claims = { ep: value["ep"], ...forgery.claims };
  return {
    roots: [forgeText({ use: "root", data, signers: ["root"], ...forgery, claims })],
    pinned: digestOf(data),
  };
}

export interface Single {
  readonly comment: string;
  readonly expect: Expected;
  readonly root?: RootOptions;
  readonly chain?: RootChainParts;
  readonly envelopes: readonly string[];
  readonly want?: CaseWant;
  readonly nowMs?: number;
  readonly reader?: Reader | undefined;
}

/** A case without fresh and set: statements one by one. */
export function single(options: Single): CaseFile {
  const { roots, pinned } = options.chain ?? oneRoot(options.root);
  return caseFile({
    comment: options.comment,
    pinned,
    roots,
    envelopes: options.envelopes,
    want: options.want ?? { use: "cfg" },
    nowMs: options.nowMs ?? NOW_SEC * 1000,
    ...(options.reader && { reader: options.reader }),
    expect: expectation(options.expect),
  });
}

export function expectation(expected: Expected, state?: TrustState): Expectation {
  if (typeof expected === "string") return { result: expected };
  const payloads = expected.map((payload) => createHash("sha256").update(payload).digest("hex"));
  return { result: "ok", payloads, ...(state && { state }) };
}

export interface CaseParts {
  readonly comment: string;
  readonly pinned: string;
  readonly roots: readonly string[];
  readonly fresh?: string | undefined;
  readonly set?: string | undefined;
  readonly envelopes: readonly string[];
  readonly want: CaseWant;
  readonly nowMs: number;
  readonly state?: TrustState | undefined;
  readonly reader?: Reader | undefined;
  readonly expect: Expectation;
}

/** Members in the order of the format. */
export function caseFile(parts: CaseParts): CaseFile {
  const { comment, pinned, roots, fresh, set, envelopes, want, nowMs, state, reader, expect } = parts;
  return {
    comment,
    pin: { mesh: MESH, trustDomain: TRUST_DOMAIN, roots: { [NS]: pinned } },
    ns: NS,
    roots,
    ...(fresh !== undefined && { fresh }),
    ...(set !== undefined && { set }),
    envelopes,
    want,
    nowMs,
    ...(state && { state }),
    ...(reader && {
      recipient: {
        privateKey: encodeBase64Url(reader.raw),
        p256dh: encodeBase64Url(reader.p256dh),
        auth: encodeBase64Url(reader.auth),
      },
    }),
    expect,
  };
}
