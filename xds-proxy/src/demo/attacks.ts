/**
 * What a control plane can do to what it carries. It has everything that ever went through it, keys of its own, and, in one
 * attack, a stolen online key of the owner; it does not have the owner's signing keys.
 */
import { decodeBase64Url, encodeBase64Url } from "../bytes/base64url.ts";
import { decodeUtf8, utf8 } from "../bytes/octets.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import { digestOf } from "../crypto/sha256.ts";
import { decodeWebpushMessage, encodeWebpushMessage, type OutgoingMessage } from "../envelope/format.ts";
import { signStatement } from "../envelope/seal.ts";
import { encodeFresh, encodeSet } from "../envelope/documents.ts";
import { InternalError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";
import type { SignedBundle } from "../owner/publish.ts";
import { describe } from "../owner/describe.ts";
import { DemoOwner, MESH, newOwnerKeys, TRUST_DOMAIN } from "./demo-owner.ts";

export interface Loot {
  /** What the owner published before. */
  readonly old: SignedBundle;
  /** What is in force: one policy has changed since, one is sealed. */
  readonly current: SignedBundle;
  /** Taken from the machine that runs `wpgate fresh --watch`. */
  readonly freshKey: SigningKey;
  readonly ns: string;
}

export interface Attack {
  readonly what: string;
  readonly code: Code;
  readonly forge: (loot: Loot) => Promise<NamespaceBundle> | NamespaceBundle;
}

export const ATTACKS: readonly Attack[] = [
  {
    what: "changes one letter of a signed policy",
    code: "DIGEST",
    forge: (loot) =>
      replaceChanged(
        loot,
        edit(changed(loot), ({ data }) => ({ data: changeLetter(data) })),
      ),
  },
  {
    what: "gives a signed policy a year more to live",
    code: "SIGNATURE",
    forge: (loot) =>
      replaceChanged(
        loot,
        edit(changed(loot), ({ sender }) => ({ sender: { ...sender, data: extend(sender.data) } })),
      ),
  },
  {
    what: "writes a policy of its own and signs it itself",
    code: "KEY_UNKNOWN",
    forge: async (loot) => replaceChanged(loot, await signOwnPolicy(loot, SigningKey.generate())),
  },
  {
    what: "signs an empty set with the stolen online key",
    code: "KEY_ROLE",
    forge: async (loot) => await emptySet(loot),
  },
  {
    what: "leaves out the sealed DENY policy",
    code: "OMITTED",
    forge: ({ current }) => ({ ...current, envelopes: current.envelopes.filter((text) => !isSealed(text)) }),
  },
  {
    what: "puts one old policy among the current ones",
    code: "MIXED",
    forge: (loot) => replaceChanged(loot, before(loot)),
  },
  {
    what: "puts the old set under the current fresh statement",
    code: "SET_MISMATCH",
    forge: ({ current, old }) => ({ ...old, roots: current.roots, fresh: current.fresh }),
  },
  {
    what: "plays back everything from before the last change",
    code: "ROLLBACK",
    forge: ({ old }) => old,
  },
  {
    what: "withholds the fresh statement",
    code: "FRESH_STALE",
    forge: ({ current: { roots, set, envelopes } }) => ({ roots, set, envelopes }),
  },
  {
    what: "replaces the owner's root by its own",
    code: "ROOT_INVALID",
    forge: async ({ current, ns }) => ({ ...current, roots: (await DemoOwner.create(ns)).bundle.roots }),
  },
  {
    what: "hands over a set of a namespace that it owns itself",
    code: "UNPINNED",
    forge: async () => {
      const stranger = await DemoOwner.create("team-x", newOwnerKeys());
      return await stranger.publish({ plain: [], sealed: [], recipients: [] });
    },
  },
];

/** The statement of the policy that has changed, as it is now. */
function changed({ current, old }: Loot): string {
  const text = current.envelopes.find((candidate) => !isSealed(candidate) && !old.envelopes.includes(candidate));
  if (text === undefined) throw new InternalError("no policy in clear has changed");
  return text;
}

/** And as it was. */
function before({ current, old }: Loot): string {
  const text = old.envelopes.find((candidate) => !isSealed(candidate) && !current.envelopes.includes(candidate));
  if (text === undefined) throw new InternalError("no policy in clear has changed");
  return text;
}

function isSealed(text: string): boolean {
  return describe(text).claims.rcp !== undefined;
}

function replaceChanged(loot: Loot, text: string): NamespaceBundle {
  const old = changed(loot);
  return {
    ...loot.current,
    envelopes: loot.current.envelopes.map((candidate) => (candidate === old ? text : candidate)),
  };
}

/** The same envelope but for some members; its signature stays as it is. */
function edit(text: string, change: (message: OutgoingMessage) => Partial<OutgoingMessage>): string {
  const message = decodeWebpushMessage(decodeBase64Url(text));
  const { id, data, sender, cosigners } = message;
  const same: OutgoingMessage = { id, data, sender, cosigners, contentEncoding: message.contentEncoding === 0 ? 0 : 1 };
  return encodeBase64Url(encodeWebpushMessage({ ...same, ...change(same) }));
}

function changeLetter(data: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(data);
  const at = Math.trunc(changed.length / 2);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

function extend(claims: Uint8Array): Uint8Array {
  const year = 365 * 86_400;
  return utf8((decodeUtf8(claims) ?? "").replace(/"exp":(\d+)/, (_, exp: string) => `"exp":${Number(exp) + year}`));
}

/** Everything allowed, under the name and version of the owner's first policy. */
async function signOwnPolicy(loot: Loot, key: SigningKey): Promise<string> {
  const { claims } = describe(changed(loot));
  const { rt = "", name = "", ver = "", iat, exp, ep, sub } = claims;
  const { ns } = loot;
  const metadata = { name: name.slice(name.indexOf("/") + 1), namespace: ns };
  const cut = rt.lastIndexOf("/");
  const object = { apiVersion: rt.slice(0, cut), kind: rt.slice(cut + 1), metadata, spec: { rules: [{}] } };
  const times = { iatSec: iat, expSec: exp };
  const where = { ns, mesh: MESH, trustDomain: TRUST_DOMAIN, sub, ep };
  const data = utf8(JSON.stringify(object));
  return encodeBase64Url(await signStatement({ use: "cfg", ...where, ...times, rt, name, ver, data, signers: [key] }));
}

async function emptySet({ current, ns, freshKey }: Loot): Promise<NamespaceBundle> {
  const { claims } = describe(current.set);
  const ver = String(BigInt(claims.ver ?? "0") + 1n);
  const where = { ns, mesh: MESH, trustDomain: TRUST_DOMAIN, sub: claims.sub, ep: claims.ep, ver };
  const set = await signStatement({
    ...{ use: "set", ...where, iatSec: claims.iat, expSec: claims.exp, signers: [freshKey] },
    data: encodeSet({ rcps: [], entries: [] }),
  });
  const { iat, exp } = describe(current.fresh).claims;
  const fresh = await signStatement({
    ...{ use: "fresh", ...where, iatSec: iat, expSec: exp, signers: [freshKey] },
    data: encodeFresh({ set: { ver, cd: digestOf(encodeSet({ rcps: [], entries: [] })) } }),
  });
  return { roots: current.roots, set: encodeBase64Url(set), fresh: encodeBase64Url(fresh), envelopes: [] };
}
