/** The payload of a root (docs/envelope.md section 5): who may speak for a namespace, and how strictly it is enforced. */
import { countSeparators } from "../bytes/scan";
import { View } from "../bytes/view";
import { isValidPublicKey } from "../crypto/p256-point";
import { FRESH_TTL_MAX_SEC, FRESH_TTL_MIN_SEC, ROOT_KEYS_MAX_COUNT, THRESHOLD_MAX_COUNT } from "../gen/limits";
import { decodeBase64Url } from "../wire/base64url";
import { Json, parseJson } from "../wire/json";
import { KeyTable } from "./key-table";
import { isDnsName, isLabel } from "./dns";
import { arrayMember, countMember, hasExactly, objectMember, textMember } from "./members";

const PUBLIC_KEY_BYTES = 65;
/** More brackets, braces, commas and colons than a root can have: its payload is read before anything shows who made it. */
const SEPARATORS_MAX_COUNT = 32 * ROOT_KEYS_MAX_COUNT;
const ROLE_NAMES: string[] = ["root", "cfg", "fresh", "push"];

/** Bits of a set of roles; bit n is ROLE_NAMES[n]. */
export const ROLE_ROOT: u32 = 1;
export const ROLE_CFG: u32 = 2;
export const ROLE_FRESH: u32 = 4;
export const ROLE_PUSH: u32 = 8;

@final
export class RootKey {
  /** Makes its signatures faster to verify; null as long as the root was not accepted. */
  table: KeyTable | null = null;

  constructor(
    /** 65 bytes, a valid key. */
    readonly publicKey: View,
    readonly roles: u32,
  ) {}
}

@final
export class RootDocument {
  ns: View = View.empty();
  mesh: View = View.empty();
  trustDomain: View = View.empty();
  ep: i64 = 0;
  minEp: i64 = 0;
  keys: RootKey[] = [];
  /** Signatures that ROLE_NAMES[n] asks for. */
  thresholds: i32[] = [];
  /** `mode`: "enforce", else "monitor". */
  enforce: bool = true;
  /** `default`: "deny", else "istio". */
  denyByDefault: bool = true;
  /** `paths`: "strict", else "istio". */
  strictPaths: bool = true;
  /** `onStale`: "deny", else "keep". */
  denyWhenStale: bool = true;
  maxFreshSec: i64 = 0;
  /** SHA-256 of the root's `data`, 32 bytes. */
  digest: View = View.empty();

  /** The key whose 64 bytes behind the prefix are `k`. */
  key(k: View): RootKey | null {
    if (k.length != PUBLIC_KEY_BYTES - 1) return null;
    for (let i = 0; i < this.keys.length; i++) {
      const publicKey = this.keys[i].publicKey;
      if (publicKey.slice(1, PUBLIC_KEY_BYTES).equals(k)) return this.keys[i];
    }
    return null;
  }

  /** Signatures that one role (a single bit) asks for. */
  threshold(role: u32): i32 {
    return this.thresholds[ctz(role)];
  }
}

/** The strict form of a root's `data`, or null. */
export function parseRoot(data: View): RootDocument | null {
  if (countSeparators(data.ptr, data.length) > SEPARATORS_MAX_COUNT) return null;
  const json = parseJson(data, false);
  if (json == null || !hasExactly(json, MEMBERS) || !isKind(json)) return null;
  const root = new RootDocument();
  const complete =
    readNames(json, root) && readVersions(json, root) && readKeys(json, root) && readThresholds(json, root);
  return complete && readModes(json, root) ? root : null;
}

// prettier-ignore
const MEMBERS: string[] = [
  "kind", "ns", "mesh", "trustDomain", "ep", "minEp", "keys",
  "thresholds", "mode", "default", "paths", "onStale", "maxFreshSec",
];

function isKind(json: Json): bool {
  const kind = json.get("kind");
  return kind != null && kind.textIs("Root");
}

function readNames(json: Json, root: RootDocument): bool {
  const ns = textMember(json, "ns");
  const mesh = textMember(json, "mesh");
  const trustDomain = textMember(json, "trustDomain");
  if (ns == null || mesh == null || trustDomain == null) return false;
  root.ns = ns;
  root.mesh = mesh;
  root.trustDomain = trustDomain;
  return isLabel(ns) && isLabel(mesh) && isDnsName(trustDomain);
}

function readVersions(json: Json, root: RootDocument): bool {
  root.ep = countMember(json, "ep");
  root.minEp = countMember(json, "minEp");
  root.maxFreshSec = countMember(json, "maxFreshSec");
  if (root.minEp < 1 || root.minEp > root.ep) return false;
  return root.maxFreshSec >= FRESH_TTL_MIN_SEC && root.maxFreshSec <= FRESH_TTL_MAX_SEC;
}

function readKeys(json: Json, root: RootDocument): bool {
  const keys = arrayMember(json, "keys", ROOT_KEYS_MAX_COUNT);
  if (keys == null || keys.length == 0) return false;
  for (let i = 0; i < keys.length; i++) {
    const key = parseKey(keys[i]);
    if (key == null || root.key(key.publicKey.slice(1, PUBLIC_KEY_BYTES)) != null) return false;
    root.keys.push(key);
  }
  return countWith(root, ROLE_ROOT) > 0 && countWith(root, ROLE_CFG) > 0;
}

function parseKey(json: Json): RootKey | null {
  if (!hasExactly(json, ["k", "roles"])) return null;
  const text = textMember(json, "k");
  const publicKey = text != null ? decodeBase64Url(text) : null;
  const roles = parseRoles(arrayMember(json, "roles", ROLE_NAMES.length));
  if (publicKey == null || roles == 0) return null;
  if (publicKey.length != PUBLIC_KEY_BYTES || !isValidPublicKey(publicKey.ptr)) return null;
  return new RootKey(publicKey, roles);
}

/** The bits of an array of different role names; 0 for anything else and for none. */
function parseRoles(names: Json[] | null): u32 {
  if (names == null) return 0;
  let roles: u32 = 0;
  for (let i = 0; i < names.length; i++) {
    const role = roleOf(names[i]);
    if (role == 0 || (roles & role) != 0) return 0;
    roles |= role;
  }
  return roles;
}

function roleOf(name: Json): u32 {
  for (let i = 0; i < ROLE_NAMES.length; i++) if (name.textIs(ROLE_NAMES[i])) return 1 << i;
  return 0;
}

function readThresholds(json: Json, root: RootDocument): bool {
  const thresholds = objectMember(json, "thresholds");
  if (thresholds == null || !hasExactly(thresholds, ROLE_NAMES)) return false;
  for (let i = 0; i < ROLE_NAMES.length; i++) {
    const threshold = countMember(thresholds, ROLE_NAMES[i]);
    if (threshold < 1 || threshold > THRESHOLD_MAX_COUNT) return false;
    const available = countWith(root, 1 << i);
    if (available > 0 && threshold > available) return false;
    root.thresholds.push(<i32>threshold);
  }
  return true;
}

function countWith(root: RootDocument, role: u32): i32 {
  let count = 0;
  for (let i = 0; i < root.keys.length; i++) if ((root.keys[i].roles & role) != 0) count++;
  return count;
}

function readModes(json: Json, root: RootDocument): bool {
  const mode = choice(json, "mode", "enforce", "monitor");
  const byDefault = choice(json, "default", "deny", "istio");
  const paths = choice(json, "paths", "strict", "istio");
  const onStale = choice(json, "onStale", "deny", "keep");
  root.enforce = mode == 0;
  root.denyByDefault = byDefault == 0;
  root.strictPaths = paths == 0;
  root.denyWhenStale = onStale == 0;
  return mode >= 0 && byDefault >= 0 && paths >= 0 && onStale >= 0;
}

/** 0 for the first word, 1 for the second, -1 for anything else. */
function choice(json: Json, name: string, first: string, second: string): i32 {
  const value = json.get(name);
  if (value == null) return -1;
  return value.textIs(first) ? 0 : value.textIs(second) ? 1 : -1;
}
