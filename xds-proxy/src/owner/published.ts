/**
 * What a namespace has published, as its owner reads it back to change it: authentic under the current root, or not kept.
 * An owner signs a new set over whatever is kept, so a bundle that somebody else has touched must not get in here.
 *
 * Differs from a consumer's view in two ways: each text is judged at the time it was signed, because owners renew what has
 * expired; and sealed content stays sealed, because owners have no recipient's key.
 */
import { verifyRootChain, type VerifiedRoot } from "../envelope/roots.ts";
import { checking } from "../envelope/refusal.ts";
import { authenticate, checkPayload, parseSetPayload, type AuthenticStatement } from "../envelope/statement.ts";
import type { SetEntry } from "../envelope/documents.ts";
import type { Pin, Use } from "../envelope/types.ts";
import { ParseError, VerifyError } from "../errors.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { describe, describeSet, describeStatement, type PublishedPart, type PublishedSet } from "./describe.ts";
import { objectKey, type ObjectName } from "./object-name.ts";

export interface PublishedObject extends ObjectName {
  readonly ver: string;
  readonly parts: readonly PublishedPart[];
  /** The signed bytes; undefined when they are sealed. */
  readonly data?: Uint8Array;
}

/** A statement, or the set, that does not count under the current root, and why. */
export interface NotKept {
  readonly where: string;
  /** What it claims to be; its signature was not accepted. */
  readonly claimed: string;
  readonly sealed: boolean;
  readonly error: VerifyError;
}

export interface Published {
  readonly roots: readonly string[];
  readonly root: VerifiedRoot;
  readonly set?: PublishedSet;
  /** By `objectKey`. */
  readonly objects: ReadonlyMap<string, PublishedObject>;
  readonly notKept: readonly NotKept[];
}

export interface ReadPublishedOptions {
  readonly pin: Pin;
  readonly ns: string;
  readonly bundle: NamespaceBundle;
}

/** @throws VerifyError when the chain of roots is not the pinned one's. */
export function readPublished({ pin, ns, bundle }: ReadPublishedOptions): Published {
  const { roots } = bundle;
  const root = verifyRootChain({ pin, ns, roots, nowMs: signedAtMs(roots.at(-1) ?? "") }).at(-1);
  if (root === undefined) throw new VerifyError("ROOT_INVALID", "no roots");
  const notKept: NotKept[] = [];
  const keep = (where: string, text: string, use: Use): AuthenticStatement | undefined => {
    try {
      return checking(where, () => authenticateOwn(text, use, root));
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error;
      notKept.push({ where, ...claimsOf(text), error });
      return undefined;
    }
  };
  const set = bundle.set === undefined ? undefined : keep("set", bundle.set, "set");
  const entries = new Map((set ? parseSetPayload(set.data).entries : []).map((entry) => [objectKey(entry), entry]));
  const objects = new Map<string, PublishedObject>();
  bundle.envelopes.forEach((text, index) => {
    const statement = keep(`envelopes[${index}]`, text, "cfg");
    if (statement !== undefined) collect(objects, { text, statement, entries });
  });
  for (const [key, { cds }] of entries) {
    if (objects.get(key)?.parts.length === cds.length) continue;
    objects.delete(key);
    if (!notKept.some(({ claimed }) => claimed === key))
      notKept.push({
        where: "set",
        claimed: key,
        sealed: cds.some(({ rcp }) => rcp !== undefined),
        error: new VerifyError("OMITTED", "its statement is not in the bundle"),
      });
  }
  return {
    ...{ roots, root, notKept, objects },
    ...(set && bundle.set !== undefined && { set: describeSet(bundle.set) }),
  };
}

/** Malformed text is a refusal here as everywhere. */
function authenticateOwn(text: string, use: Use, root: VerifiedRoot): AuthenticStatement {
  const clock = { nowMs: signedAtMs(text), iatMaxSec: 0 };
  const statement = authenticate(text, use, { root: root.document, clock, recipient: undefined });
  if (statement.claims.rcp === undefined) checkPayload(statement.data, statement.claims);
  return statement;
}

interface Kept {
  readonly text: string;
  readonly statement: AuthenticStatement;
  readonly entries: ReadonlyMap<string, SetEntry>;
}

/** Only what the set lists, with the version and digest it lists, was ever published. */
function collect(objects: Map<string, PublishedObject>, { text, statement, entries }: Kept): void {
  const { rt = "", name = "", ver = "", cd, rcp } = statement.claims;
  const key = objectKey({ rt, name });
  const entry = entries.get(key);
  const listed = entry?.ver === ver && entry.cds.some((digest) => digest.cd === cd && digest.rcp === rcp);
  const before = objects.get(key)?.parts ?? [];
  if (!listed || before.some((part) => part.rcp === rcp)) return;
  const parts = [...before, describeStatement(text)];
  objects.set(key, { rt, name, ver, parts, ...(rcp === undefined && { data: statement.data }) });
}

/** The time a text says it was signed at; 0 for what is no envelope, which every check refuses. */
function signedAtMs(text: string): number {
  return claimsOf(text).iatMs;
}

interface ClaimsView {
  readonly claimed: string;
  readonly sealed: boolean;
  readonly iatMs: number;
}

function claimsOf(text: string): ClaimsView {
  try {
    const { iat, rt, name, rcp } = describe(text).claims;
    const claimed = rt === undefined || name === undefined ? "the set" : objectKey({ rt, name });
    return { claimed, sealed: rcp !== undefined, iatMs: iat * 1000 };
  } catch (error) {
    if (error instanceof ParseError) return { claimed: "no envelope", sealed: false, iatMs: 0 };
    throw error;
  }
}
