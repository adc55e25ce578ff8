/**
 * The documents that statements carry (docs/envelope.md section 5): strict parsing, and writing in one canonical form.
 * Parsing proves shape and nothing else; who signed a document is the business of the files that call this one.
 */
import { encodeBase64Url, tryDecodeBase64Url } from "../bytes/base64url.ts";
import { isU64Text } from "../bytes/decimal.ts";
import { asArray, asInteger, asObject, asOneOf, asString, exactly, items, member, wrong } from "../bytes/json-shape.ts";
import type { Located } from "../bytes/json-shape.ts";
import { parseStrictJson } from "../bytes/json.ts";
import { compareUtf8, utf8 } from "../bytes/octets.ts";
import { isPublicKey } from "../crypto/ecdsa-p256.ts";
import {
  FRESH_TTL_MAX_SEC,
  FRESH_TTL_MIN_SEC,
  ROOT_KEYS_MAX_COUNT,
  SET_ENTRIES_MAX_COUNT,
  THRESHOLD_MAX_COUNT,
} from "../gen/limits.ts";
import { isDnsName, isLabel } from "./names.ts";
import { ROLES } from "./roles.ts";
import type { Role } from "./roles.ts";

export interface RootKey {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  readonly roles: readonly Role[];
}

export interface RootDocument {
  readonly ns: string;
  readonly mesh: string;
  readonly trustDomain: string;
  readonly ep: number;
  readonly minEp: number;
  readonly keys: readonly RootKey[];
  readonly thresholds: Readonly<Record<Role, number>>;
  readonly mode: (typeof MODES)[number];
  readonly default: (typeof DEFAULTS)[number];
  readonly paths: (typeof PATHS)[number];
  readonly onStale: (typeof ON_STALE)[number];
  readonly maxFreshSec: number;
}

const MODES = ["enforce", "monitor"] as const;
const DEFAULTS = ["deny", "istio"] as const;
const PATHS = ["strict", "istio"] as const;
const ON_STALE = ["keep", "deny"] as const;

/** One sealing of an object, or the object itself where `rcp` is absent. */
export interface SetDigest {
  /** base64url SHA-256 of the `data` of the statement. */
  readonly cd: string;
  /** Key id of the recipient. */
  readonly rcp?: string;
}

export interface SetEntry {
  readonly rt: string;
  readonly name: string;
  readonly ver: string;
  readonly cds: readonly SetDigest[];
}

export interface SetDocument {
  /** Key ids of every recipient that may read anything here. */
  readonly rcps: readonly string[];
  readonly entries: readonly SetEntry[];
}

export interface FreshDocument {
  readonly set: { readonly ver: string; readonly cd: string };
}

export interface ConfigObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** @throws ParseError JSON, DOCUMENT. */
export function parseRoot(data: Uint8Array): RootDocument {
  const root = exactly(document(data), [
    "kind", "ns", "mesh", "trustDomain", "ep", "minEp", "keys", "thresholds", "mode", "default", "paths", "onStale",
    "maxFreshSec",
  ]); // prettier-ignore
  const at = (name: string): Located => member(root, name, "");
  asOneOf(at("kind"), ["Root"]);
  const keys = parseRootKeys(at("keys"));
  return {
    ns: satisfying(at("ns"), isLabel, "a label"),
    mesh: satisfying(at("mesh"), isLabel, "a label"),
    trustDomain: satisfying(at("trustDomain"), isDnsName, "a DNS name"),
    ep: integerBetween(at("ep"), 1, Number.MAX_SAFE_INTEGER),
    minEp: integerBetween(at("minEp"), 1, asInteger(at("ep"))),
    keys,
    thresholds: parseThresholds(at("thresholds"), keys),
    mode: asOneOf(at("mode"), MODES),
    default: asOneOf(at("default"), DEFAULTS),
    paths: asOneOf(at("paths"), PATHS),
    onStale: asOneOf(at("onStale"), ON_STALE),
    maxFreshSec: integerBetween(at("maxFreshSec"), FRESH_TTL_MIN_SEC, FRESH_TTL_MAX_SEC),
  };
}

function parseRootKeys(located: Located): readonly RootKey[] {
  const keys = boundedItems(located, ROOT_KEYS_MAX_COUNT).map(parseRootKey);
  const texts = keys.map((key) => encodeBase64Url(key.publicKey));
  if (new Set(texts).size !== texts.length) wrong(located.path, "a list without duplicates");
  for (const role of ["root", "cfg"] as const) {
    if (holders(keys, role) === 0) wrong(located.path, `a list with a ${role} key`);
  }
  return keys;
}

function parseRootKey(located: Located): RootKey {
  const key = exactly(located, ["k", "roles"]);
  const publicKey = tryDecodeBase64Url(asString(member(key, "k", located.path)));
  if (publicKey === undefined || !isPublicKey(publicKey)) wrong(`${located.path}.k`, "a P-256 public key");
  const path = `${located.path}.roles`;
  const roles = items(asArray({ value: key.get("roles"), path }), path).map((item) => asOneOf(item, ROLES));
  if (roles.length === 0 || new Set(roles).size !== roles.length) wrong(path, "a list of different roles");
  return { publicKey, roles };
}

function parseThresholds(located: Located, keys: readonly RootKey[]): Readonly<Record<Role, number>> {
  const object = exactly(located, ROLES);
  const of = (role: Role): number => {
    const max = Math.min(THRESHOLD_MAX_COUNT, holders(keys, role) || THRESHOLD_MAX_COUNT);
    return integerBetween(member(object, role, located.path), 1, max);
  };
  return { root: of("root"), cfg: of("cfg"), fresh: of("fresh"), push: of("push") };
}

function holders(keys: readonly RootKey[], role: Role): number {
  return keys.filter((key) => key.roles.includes(role)).length;
}

/** @throws ParseError JSON, DOCUMENT. */
export function parseSet(data: Uint8Array): SetDocument {
  const set = exactly(document(data), ["kind", "rcps", "entries"]);
  asOneOf(member(set, "kind", ""), ["Set"]);
  const rcpList = member(set, "rcps", "");
  const rcps = items(asArray(rcpList), "rcps").map(asKeyId);
  assertAscending(rcps, compareUtf8, "rcps");
  const known = new Set(rcps);
  const entries = boundedItems(member(set, "entries", ""), SET_ENTRIES_MAX_COUNT, 0).map((item) =>
    parseEntry(item, known),
  );
  assertAscending(entries, (a, b) => compareUtf8(a.rt, b.rt) || compareUtf8(a.name, b.name), "entries");
  return { rcps, entries };
}

function parseEntry(located: Located, rcps: ReadonlySet<string>): SetEntry {
  const entry = exactly(located, ["rt", "name", "ver", "cds"]);
  const at = (name: string): Located => member(entry, name, located.path);
  const cds = boundedItems(at("cds"), Number.MAX_SAFE_INTEGER).map((item) => parseSetDigest(item, rcps));
  const sealed = cds.flatMap(({ rcp }) => rcp ?? []);
  if (sealed.length > 0 ? sealed.length !== cds.length : cds.length !== 1) {
    wrong(at("cds").path, "one digest without rcp, or digests that all have one");
  }
  assertAscending(sealed, compareUtf8, at("cds").path);
  return { rt: asString(at("rt")), name: asString(at("name")), ver: asU64(at("ver")), cds };
}

function parseSetDigest(located: Located, rcps: ReadonlySet<string>): SetDigest {
  const object = exactly(located, ["cd"], ["rcp"]);
  const cd = asDigest(member(object, "cd", located.path));
  if (!object.has("rcp")) return { cd };
  const rcp = member(object, "rcp", located.path);
  return { cd, rcp: satisfying(rcp, (text) => rcps.has(text), "one of rcps") };
}

/** @throws ParseError JSON, DOCUMENT. */
export function parseFresh(data: Uint8Array): FreshDocument {
  const fresh = exactly(document(data), ["kind", "set"]);
  asOneOf(member(fresh, "kind", ""), ["Fresh"]);
  const set = exactly(member(fresh, "set", ""), ["ver", "cd"]);
  return { set: { ver: asU64(member(set, "ver", "set")), cd: asDigest(member(set, "cd", "set")) } };
}

/** The shape that every cfg payload has. What its `spec` means is for its consumer.
 *  @throws ParseError JSON, DOCUMENT. */
export function parseConfigObject(data: Uint8Array): ConfigObject {
  const value = parseStrictJson(data, { allowNegative: true });
  const object = exactly({ value, path: "" }, ["apiVersion", "kind", "metadata", "spec"]);
  const metadata = asObject(member(object, "metadata", ""));
  asObject(member(object, "spec", ""));
  return {
    apiVersion: asString(member(object, "apiVersion", "")),
    kind: asString(member(object, "kind", "")),
    name: asString(member(metadata, "name", "metadata")),
    namespace: asString(member(metadata, "namespace", "metadata")),
  };
}

export function encodeRoot(root: RootDocument): Uint8Array {
  const { ns, mesh, trustDomain, ep, minEp, thresholds, mode, paths, onStale, maxFreshSec } = root;
  const { root: rootThreshold, cfg, fresh, push } = thresholds;
  return utf8(
    JSON.stringify({
      kind: "Root",
      ...{ ns, mesh, trustDomain, ep, minEp },
      keys: root.keys.map(({ publicKey, roles }) => ({ k: encodeBase64Url(publicKey), roles })),
      thresholds: { root: rootThreshold, cfg, fresh, push },
      ...{ mode, default: root.default, paths, onStale, maxFreshSec },
    }),
  );
}

/** Sorts what has to be sorted. */
export function encodeSet({ rcps, entries }: SetDocument): Uint8Array {
  const sorted = entries
    .map(({ rt, name, ver, cds }) => ({ rt, name, ver, cds: cds.map(({ cd, rcp }) => ({ cd, rcp })).sort(byRcp) }))
    .sort((a, b) => compareUtf8(a.rt, b.rt) || compareUtf8(a.name, b.name));
  return utf8(JSON.stringify({ kind: "Set", rcps: [...rcps].sort(compareUtf8), entries: sorted }));
}

function byRcp(a: { rcp: string | undefined }, b: { rcp: string | undefined }): number {
  return compareUtf8(a.rcp ?? "", b.rcp ?? "");
}

export function encodeFresh({ set: { ver, cd } }: FreshDocument): Uint8Array {
  return utf8(JSON.stringify({ kind: "Fresh", set: { ver, cd } }));
}

function document(data: Uint8Array): Located {
  return { value: parseStrictJson(data, { allowNegative: false }), path: "" };
}

function boundedItems(located: Located, maxCount: number, minCount = 1): readonly Located[] {
  const array = asArray(located);
  if (array.length < minCount || array.length > maxCount) {
    wrong(located.path, `a list of ${minCount} to ${maxCount} items`);
  }
  return items(array, located.path);
}

function satisfying(located: Located, test: (text: string) => boolean, wanted: string): string {
  const text = asString(located);
  return test(text) ? text : wrong(located.path, wanted);
}

function asU64(located: Located): string {
  return satisfying(located, isU64Text, "a decimal u64");
}

function asDigest(located: Located): string {
  return satisfying(located, (text) => tryDecodeBase64Url(text)?.length === 32, "a base64url SHA-256");
}

function asKeyId(located: Located): string {
  return satisfying(located, (text) => tryDecodeBase64Url(text)?.length === 16, "a key id");
}

function integerBetween(located: Located, min: number, max: number): number {
  const value = asInteger(located);
  return value >= min && value <= max ? value : wrong(located.path, `from ${min} to ${max}`);
}

function assertAscending<T>(list: readonly T[], compare: (a: T, b: T) => number, path: string): void {
  for (const [i, item] of list.slice(1).entries()) {
    const before = list[i];
    if (before !== undefined && compare(before, item) >= 0) wrong(`${path}[${i + 1}]`, "after the one before it");
  }
}
