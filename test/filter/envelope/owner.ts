// An owner with one key for each role: everything that a namespace needs, each part replaceable by a faulty one.
import { testable } from "../testable.ts";
import {
  CFG_TYPE,
  type Key,
  MESH,
  type Members,
  NOW_SEC,
  NS,
  type RecipientKeys,
  TRUST_DOMAIN,
  digestText,
  json,
  keyId,
  newKey,
  newRecipient,
  seal,
  statement,
} from "./forge.ts";

export interface Verdict {
  readonly result: string;
  readonly where?: string;
  readonly payloads?: readonly string[];
  readonly state?: Members;
  readonly freshExpSec?: number;
  readonly expiresAtSec?: number;
  readonly time?: { readonly result: string; readonly where: string };
}

export const rootKey: Key = newKey();
export const cfgKey: Key = newKey();
export const freshKey: Key = newKey();
export const recipient: RecipientKeys = newRecipient();
export const recipientId: string = keyId(recipient.publicKey);

export function keyMember(key: Key, ...roles: string[]): Members {
  return { k: key.publicKey.toString("base64url"), roles };
}

export function rootDocument(changes: Members = {}): Members {
  return {
    kind: "Root",
    ns: NS,
    mesh: MESH,
    trustDomain: TRUST_DOMAIN,
    ep: 1,
    minEp: 1,
    keys: [keyMember(rootKey, "root"), keyMember(cfgKey, "cfg"), keyMember(freshKey, "fresh")],
    thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 },
    mode: "enforce",
    default: "deny",
    paths: "strict",
    onStale: "keep",
    maxFreshSec: 86_400,
    ...changes,
  };
}

export function root(
  document: Members = rootDocument(),
  claims: Members = {},
  signers: readonly Key[] = [rootKey],
): string {
  return statement({
    use: "root",
    data: json(document),
    claims: { ep: document["ep"], exp: NOW_SEC + 90 * 86_400, ...claims },
    signers,
  });
}

export function policy(name: string, spec: unknown = {}): Buffer {
  return json({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: NS },
    spec,
  });
}

/** A statement together with what the set says of it. */
export interface Listed {
  readonly text: string;
  readonly name: string;
  readonly cd: string;
  readonly rcp?: string;
  readonly ver: string;
}

export function plain(name: string, options: { data?: Uint8Array; ver?: string; claims?: Members } = {}): Listed {
  const data = options.data ?? policy(name);
  const ver = options.ver ?? "1";
  const claims = { rt: CFG_TYPE, name: `${NS}/${name}`, ver, ...options.claims };
  return {
    text: statement({ use: "cfg", data, claims, signers: [cfgKey] }),
    name: `${NS}/${name}`,
    cd: digestText(data),
    ver,
  };
}

export function sealed(
  name: string,
  to: RecipientKeys = recipient,
  options: { rs?: number; padding?: number; preamble?: Members; text?: Uint8Array } = {},
): Listed {
  const preamble = {
    aud: `https://${NS}.${MESH}.${TRUST_DOMAIN}`,
    rt: CFG_TYPE,
    name: `${NS}/${name}`,
    ver: "1",
    kid: keyId(cfgKey.publicKey),
    ...options.preamble,
  };
  const text = options.text ?? Buffer.concat([json(preamble), Buffer.from("\n"), policy(name)]);
  const data = seal(to, text, options);
  const rcp = keyId(to.publicKey);
  const claims = { rt: CFG_TYPE, name: `${NS}/${name}`, ver: "1", ce: "aes128gcm", rcp };
  return {
    text: statement({ use: "cfg", data, claims, signers: [cfgKey], contentEncoding: 1 }),
    name: `${NS}/${name}`,
    cd: digestText(data),
    rcp,
    ver: "1",
  };
}

export function setDocument(listed: readonly Listed[]): Members {
  const names = [...new Set(listed.map((item) => item.name))].sort();
  const entries = names.map((name) => {
    const items = listed.filter((item) => item.name === name);
    const cds = items.map(({ cd, rcp }) => (rcp === undefined ? { cd } : { cd, rcp }));
    return {
      rt: CFG_TYPE,
      name,
      ver: items[0]?.ver,
      cds: cds.sort((a, b) => ((a.rcp ?? "") < (b.rcp ?? "") ? -1 : 1)),
    };
  });
  return { kind: "Set", rcps: [...new Set(listed.flatMap((item) => item.rcp ?? []))].sort(), entries };
}

/** The set and the fresh that names it. */
export function setAndFresh(
  document: unknown,
  options: { ver?: string; set?: Members; fresh?: Members } = {},
): { set: string; fresh: string } {
  const data = json(document);
  const ver = options.ver ?? "7";
  const freshData = json({ kind: "Fresh", set: { ver, cd: digestText(data) } });
  return {
    set: statement({ use: "set", data, claims: { ver, ...options.set }, signers: [cfgKey] }),
    fresh: statement({ use: "fresh", data: freshData, claims: { ver: "9", ...options.fresh }, signers: [freshKey] }),
  };
}

/** A conformance case of these statements, in which everything is as it should be unless `changes` say otherwise. */
export function namespaceCase(listed: readonly Listed[], changes: Members = {}): Members {
  const document = rootDocument();
  return {
    pin: pinOf(document),
    ns: NS,
    roots: [root(document)],
    ...setAndFresh(setDocument(listed)),
    envelopes: listed.map((item) => item.text),
    want: { use: "cfg" },
    nowMs: NOW_SEC * 1000,
    ...changes,
  };
}

/** A case that checks these texts one by one. */
export function singleCase(use: string, envelopes: readonly string[], changes: Members = {}): Members {
  const document = rootDocument();
  return {
    pin: pinOf(document),
    ns: NS,
    roots: [root(document)],
    envelopes,
    want: { use },
    nowMs: NOW_SEC * 1000,
    ...changes,
  };
}

export function pinOf(document: Members): Members {
  return { mesh: MESH, trustDomain: TRUST_DOMAIN, roots: { [NS]: digestText(json(document)) } };
}

export const recipientMember: Members = {
  privateKey: recipient.privateKey.toString("base64url"),
  p256dh: recipient.publicKey.toString("base64url"),
  auth: recipient.auth.toString("base64url"),
};

export function verify(conformanceCase: Members): Verdict {
  return call("verifyCase", conformanceCase);
}

/** Faults of clock and state apart from the others. */
export function verifyDeferred(conformanceCase: Members): Verdict {
  return call("verifyCaseDeferred", conformanceCase);
}

function call(name: string, conformanceCase: Members): Verdict {
  const wasm = testable();
  return wasm.call((memory) => {
    const text = memory.putText(JSON.stringify(conformanceCase));
    return JSON.parse(memory.takeString(wasm.fn(name)(text.ptr, text.length))) as Verdict;
  });
}
