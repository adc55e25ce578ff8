/**
 * From what a namespace has published and what its owner wants to change to what it publishes next: statements, the set
 * that lists them, and fresh. Pure but for the signers.
 *
 * Content that did not change keeps its version, and its envelope too while that is young, so that nothing moves that
 * need not. Sealed content is never the same twice: sealing again is a change.
 */
import { encodeBase64Url } from "../bytes/base64url.ts";
import { equals } from "../bytes/octets.ts";
import { digestOf } from "../crypto/sha256.ts";
import { signStatement, type Signer, type StatementContent } from "../envelope/seal.ts";
import { encodeFresh, encodeSet, type SetEntry } from "../envelope/documents.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import { ConfigError, LimitError } from "../errors.ts";
import { ENVELOPES_MAX_COUNT, SET_ENTRIES_MAX_COUNT } from "../gen/limits.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { compareObjects, displayName, objectKey, type ObjectName } from "./object-name.ts";
import type { OwnerObject } from "./objects.ts";
import { describeSet, describeStatement, type PublishedPart, type PublishedSet, type SignedTimes } from "./describe.ts";
import type { Published, PublishedObject } from "./published.ts";
import { nextVersion } from "./version.ts";

export type Signers = readonly [Signer, ...Signer[]];

/** Who signs, and how long what is signed holds. */
export interface OwnerIdentity {
  readonly ns: string;
  readonly mesh: string;
  readonly trustDomain: string;
  /** `mailto:` or `https:` contact. */
  readonly sub: string;
  /** `ep` of the current root. */
  readonly ep: number;
  readonly lifetimeSec: number;
  readonly freshSec: number;
}

export interface Put {
  readonly object: OwnerObject;
  /** None: the object travels in clear. */
  readonly recipients: readonly RecipientPublic[];
}

export interface PublishOptions {
  readonly identity: OwnerIdentity;
  readonly nowMs: number;
  readonly published: Published;
  readonly put: readonly Put[];
  readonly remove: readonly ObjectName[];
  /** Key ids of recipients that belong to the namespace, whether anything is sealed for them or not. */
  readonly knownRecipients: readonly string[];
  /** Signs everything again, also what is still young. */
  readonly renewAll?: boolean;
  readonly cfgSigners: Signers;
  readonly freshSigners: Signers;
}

export type ChangeKind = "added" | "changed" | "renewed" | "removed" | "unchanged";

export interface Change extends ObjectName {
  readonly kind: ChangeKind;
  readonly ver: string;
  readonly sealed: boolean;
}

/** A bundle that lacks nothing. */
export interface SignedBundle extends NamespaceBundle {
  readonly fresh: string;
  readonly set: string;
}

export interface PublishResult {
  readonly bundle: SignedBundle;
  readonly changes: readonly Change[];
  readonly setVer: string;
}

/** @throws ConfigError for sealed objects that have run out; LimitError for too many; UpstreamError SIGNER. */
export async function publish(options: PublishOptions): Promise<PublishResult> {
  const removed = new Set(options.remove.map(objectKey));
  const put = new Map(options.put.map((item) => [objectKey(item.object), item]));
  const kept = [...options.published.objects.values()].filter((object) => {
    const key = objectKey(object);
    return !put.has(key) && !removed.has(key);
  });
  const outcomes = [];
  for (const item of put.values()) outcomes.push(await putObject(options, item));
  for (const object of kept) outcomes.push(await keepObject(options, object));
  outcomes.sort((a, b) => compareObjects(a.object, b.object));
  const objects = outcomes.map(({ object }) => object);
  checkCounts(objects);
  const set = await publishSet(options, objects);
  const gone = [...options.published.objects.values()].filter((object) => removed.has(objectKey(object)));
  return {
    bundle: {
      roots: options.published.roots,
      fresh: await signFresh({ ...options, set }),
      set: set.text,
      envelopes: objects.flatMap(({ parts }) => parts.map(({ text }) => text)),
    },
    changes: [...outcomes.map(changeOf), ...gone.map((object) => changeOf({ object, kind: "removed" }))],
    setVer: set.ver,
  };
}

export interface FreshOptions {
  readonly identity: OwnerIdentity;
  readonly nowMs: number;
  readonly set: { readonly ver: string; readonly cd: string };
  /** That of the set where it is absent: it is the same content, confirmed anew. */
  readonly ver?: string;
  readonly freshSigners: Signers;
}

/** Says that this set is the current one. */
export async function signFresh({ identity, nowMs, set, ver, freshSigners }: FreshOptions): Promise<string> {
  const envelope = await signStatement({
    ...statementBase(identity, nowMs, identity.freshSec),
    use: "fresh",
    ver: ver ?? set.ver,
    data: encodeFresh({ set: { ver: set.ver, cd: set.cd } }),
    signers: freshSigners,
  });
  return encodeBase64Url(envelope);
}

interface Outcome {
  readonly object: PublishedObject;
  readonly kind: ChangeKind;
}

async function putObject(options: PublishOptions, { object, recipients }: Put): Promise<Outcome> {
  const before = options.published.objects.get(objectKey(object));
  const { rt, name, data } = object;
  if (recipients.length === 0) {
    if (before?.data !== undefined && equals(before.data, data)) return await keepObject(options, before);
    const ver = nextVersion(before?.ver, options.nowMs);
    const part = await signObject(options, { rt, name, ver, data });
    return { object: { rt, name, ver, data, parts: [part] }, kind: before === undefined ? "added" : "changed" };
  }
  const ver = nextVersion(before?.ver, options.nowMs);
  const parts = [];
  for (const recipient of recipients) parts.push(await signObject(options, { rt, name, ver, data }, recipient));
  return { object: { rt, name, ver, parts }, kind: before === undefined ? "added" : "changed" };
}

/** Content stays; what is no longer young is signed again where the content is at hand. */
async function keepObject(options: PublishOptions, object: PublishedObject): Promise<Outcome> {
  const { rt, name, ver, data, parts } = object;
  if (data !== undefined) {
    if (isYoung(options, parts)) return { object, kind: "unchanged" };
    return { object: { ...object, parts: [await signObject(options, { rt, name, ver, data })] }, kind: "renewed" };
  }
  const unusable = parts.find(({ expSec }) => expSec * 1000 <= options.nowMs);
  if (unusable !== undefined)
    throw new ConfigError([
      { path: displayName(object), message: "is sealed and has expired; seal its source again, or remove it" },
    ]);
  return { object, kind: "unchanged" };
}

async function signObject(
  { identity, nowMs, cfgSigners }: PublishOptions,
  content: ObjectName & { readonly ver: string; readonly data: Uint8Array },
  recipient?: RecipientPublic,
): Promise<PublishedPart> {
  const { rt, name, ver, data } = content;
  const envelope = await signStatement({
    ...statementBase(identity, nowMs, identity.lifetimeSec),
    ...{ use: "cfg", rt, name, ver, data, signers: cfgSigners },
    ...(recipient && { recipient }),
  });
  return describeStatement(encodeBase64Url(envelope));
}

async function publishSet(options: PublishOptions, objects: readonly PublishedObject[]): Promise<PublishedSet> {
  const { identity, nowMs, published, cfgSigners } = options;
  const sealedFor = objects.flatMap(({ parts }) => parts.flatMap(({ rcp }) => rcp ?? []));
  const rcps = sealedFor.length === 0 ? [] : [...new Set([...sealedFor, ...options.knownRecipients])];
  const data = encodeSet({ rcps, entries: objects.map(entryOf) });
  const cd = digestOf(data);
  const same = published.set?.cd === cd ? published.set : undefined;
  if (same !== undefined && isYoung(options, [same])) return same;
  const envelope = await signStatement({
    ...statementBase(identity, nowMs, identity.lifetimeSec),
    use: "set",
    ver: same?.ver ?? nextVersion(published.set?.ver, nowMs),
    data,
    signers: cfgSigners,
  });
  return describeSet(encodeBase64Url(envelope));
}

function entryOf({ rt, name, ver, parts }: PublishedObject): SetEntry {
  return { rt, name, ver, cds: parts.map(({ cd, rcp }) => ({ cd, ...(rcp !== undefined && { rcp }) })) };
}

function statementBase(
  { ns, mesh, trustDomain, sub, ep }: OwnerIdentity,
  nowMs: number,
  lifetimeSec: number,
): Pick<StatementContent, "ns" | "mesh" | "trustDomain" | "sub" | "ep" | "iatSec" | "expSec"> {
  const iatSec = Math.trunc(nowMs / 1000);
  return { ns, mesh, trustDomain, sub, ep, iatSec, expSec: iatSec + lifetimeSec };
}

/** Signed under the current root, and with more than half of its time ahead. */
function isYoung({ identity, nowMs, renewAll }: PublishOptions, signed: readonly SignedTimes[]): boolean {
  if (renewAll === true) return false;
  return signed.every(
    ({ ep, iatSec, expSec }) => ep === identity.ep && (expSec * 1000 - nowMs) * 2 > (expSec - iatSec) * 1000,
  );
}

function isSealed({ data }: PublishedObject): boolean {
  return data === undefined;
}

function checkCounts(objects: readonly PublishedObject[]): void {
  const envelopes = objects.reduce((sum, { parts }) => sum + parts.length, 0);
  if (objects.length > SET_ENTRIES_MAX_COUNT)
    throw new LimitError(`${objects.length} objects, and a set has at most ${SET_ENTRIES_MAX_COUNT}`);
  if (envelopes > ENVELOPES_MAX_COUNT)
    throw new LimitError(`${envelopes} statements, and a bundle has at most ${ENVELOPES_MAX_COUNT}`);
}

function changeOf({ object, kind }: Outcome): Change {
  return { rt: object.rt, name: object.name, kind, ver: object.ver, sealed: isSealed(object) };
}
