/** Valid cases that the mutations start from, and statements of other versions that a carrier could have kept. */
import type { CaseFile } from "../corpus/case.ts";
import { json, KEYS, rootValue, thresholds } from "../corpus/documents.ts";
import type { KeyRoles } from "../corpus/documents.ts";
import { forgeText, RESPONSE_TYPE } from "../corpus/forge.ts";
import type { ClaimValues } from "../corpus/forge.ts";
import { single } from "../corpus/case.ts";
import { namespaceCase, object, ownId, statementsOf } from "../corpus/namespace.ts";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";

const COSIGNED: readonly KeyRoles[] = [...KEYS, ["cfg-2", "cfg"], ["fresh-2", "fresh", "cfg"], ["root-2", "root"]];

function rootText(ep: number, changes: ClaimValues, signers: readonly string[]): { text: string; cd: string } {
  const data = json(rootValue({ ep, ...changes }, COSIGNED));
  return { text: forgeText({ use: "root", data, signers, claims: { ep } }), cd: digestOf(data) };
}

const TWO_CFG = { thresholds: thresholds({ cfg: 2, fresh: 1 }) };
const ROOT_1 = rootText(1, {}, ["root"]);
const ROOT_2 = rootText(2, TWO_CFG, ["root", "root-2"]);
const ROOT_3 = rootText(3, { ...TWO_CFG, minEp: 3, onStale: "deny" }, ["root-2"]);

const ALLOW = object({ name: "allow" });
const DENY = object({ name: "deny", ver: "7", spec: { action: "DENY", rules: [{}] } });
const SEALED = object({ name: "sealed", readers: ["a", "b"] });
const OTHER_TYPE = object({ name: "other", kind: "PeerAuthentication" });

const under = (ep: number): { readonly claims: ClaimValues } => ({ claims: { ep } });
const cosigned = (ep: number, ver = "1") => ({ signers: ["cfg", "cfg-2"], claims: { ep, ver } });

function cosignedNamespace(ep: number, ver: string): Parameters<typeof namespaceCase>[0] {
  const objects = [
    object({ name: "allow", ver, forgery: { signers: ["cfg", "cfg-2"], ...under(ep) } }),
    object({ name: "sealed", ver: "3", readers: ["a", "b"], forgery: { signers: ["cfg-2", "cfg"], ...under(ep) } }),
  ];
  const chain = { roots: [ROOT_1, ROOT_2, ROOT_3].slice(0, ep).map(({ text }) => text), pinned: ROOT_1.cd };
  const next = { ep, minEp: ep === 3 ? 3 : 1, rootCd: [ROOT_1, ROOT_2, ROOT_3][ep - 1]?.cd ?? "" };
  return {
    comment: "cosigned",
    expect: objects.map(({ payload }) => payload).slice(0, 1),
    ...{ objects, chain, next, reader: "a", set: cosigned(ep, ver), fresh: under(ep) },
  };
}

const plain = {
  comment: "plain",
  objects: [ALLOW, DENY, OTHER_TYPE],
  expect: [ALLOW.payload, DENY.payload, OTHER_TYPE.payload],
};
const sealed = { comment: "sealed", objects: [ALLOW, SEALED], expect: [ALLOW.payload, SEALED.payload], reader: "a" };
const PUSH = { use: "push", data: new Uint8Array([1, 2, 3]), signers: ["push"] };

/** Each is `ok` as it stands. */
export const BASES: readonly CaseFile[] = [
  namespaceCase(plain),
  namespaceCase({ ...plain, want: { use: "cfg", name: "team-a/deny" } }),
  namespaceCase({ ...plain, state: stateAfter(namespaceCase(plain)) }),
  namespaceCase(sealed),
  namespaceCase({ ...sealed, state: { ...stateAfter(namespaceCase(sealed)), setVer: "0", freshVer: "0" } }),
  namespaceCase({ ...sealed, objects: [ALLOW, SEALED, DENY], rcps: [ownId("a"), ownId("b")].sort(), reader: "b" }),
  namespaceCase(cosignedNamespace(2, "1")),
  namespaceCase(cosignedNamespace(2, "2")),
  namespaceCase(cosignedNamespace(3, "3")),
  single({ comment: "cfg", expect: [ALLOW.payload], envelopes: ALLOW.texts }),
  single({
    comment: "push",
    expect: [PUSH.data],
    envelopes: [forgeText(PUSH)],
    want: { use: "push", rt: RESPONSE_TYPE, seq: "1" },
  }),
];

function stateAfter({ expect }: CaseFile): NonNullable<CaseFile["state"]> {
  if (!("state" in expect)) throw new Error("a base without a next state");
  return expect.state;
}

const older = statementsOf({ objects: [ALLOW], set: { claims: { ver: "0" } } });
const newer = statementsOf({ objects: [DENY], set: { claims: { ver: "9" } }, fresh: { claims: { ver: "9" } } });

/** Genuine statements that do not belong to the case at hand. */
export const STRAYS: readonly string[] = [
  ...[ROOT_1, ROOT_2, ROOT_3].map(({ text }) => text),
  ...[older.set, older.fresh, newer.set, newer.fresh],
  ...[ALLOW, DENY, SEALED, OTHER_TYPE].flatMap(({ texts }) => texts),
  ...BASES.flatMap(({ envelopes, set = [], fresh = [] }) => [...envelopes, set, fresh].flat()),
];
