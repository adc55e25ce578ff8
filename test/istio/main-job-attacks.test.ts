/**
 * Somebody who can write to etcd, or to Kubernetes, maltreats what the owner published. A sidecar and a gateway refuse
 * each attack by its own code and go on as before; an Envoy that starts in the middle of one stays closed.
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { ATTACKS, type Loot } from "../../xds-proxy/src/demo/attacks.ts";
import { DemoOwner, MESH, newOwnerKeys, TRUST_DOMAIN } from "../../xds-proxy/src/demo/demo-owner.ts";
import type { Outcome, Probe } from "../../xds-proxy/src/demo/stage.ts";
import { ownStory } from "../../xds-proxy/src/demo/story.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { encodeFresh } from "../../xds-proxy/src/envelope/documents.ts";
import { signStatement } from "../../xds-proxy/src/envelope/seal.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { describe as describeEnvelope } from "../../xds-proxy/src/owner/describe.ts";
import { readObjects } from "../../xds-proxy/src/owner/objects.ts";
import { encodePin } from "../../xds-proxy/src/owner/pin.ts";
import { rootKeys, signRoot } from "../../xds-proxy/src/owner/root.ts";
import { wasmConfigs, watchDelivery } from "../lab/delivery.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { LabStage, placeOf, type JsonObject } from "../lab/stage.ts";

const story = ownStory();
const inForce: readonly Probe[] = [
  ...story.requests.map(({ method, path, expected }) => ({ method, path, status: expected.second })),
  { method: "GET", path: "/orders/mesh-wide", status: 403 },
];
const recipient = { key: ExchangeKey.generate(), auth: randomBytes(16) };
/** Of a namespace that the module knows and the workloads do not belong to. */
const NEIGHBOUR = "team-b";

let lab: Lab;
let module: PinnedModule;
let stage: LabStage;
let owner: DemoOwner;
let loot: Loot;
let mesh: NamespaceBundle;
let neighbour: NamespaceBundle;

beforeAll(async () => {
  owner = await DemoOwner.create(story.namespace);
  const meshOwner = await DemoOwner.create("istio-system");
  const neighbours = await DemoOwner.create(NEIGHBOUR);
  const roots = [owner, meshOwner, neighbours].map(({ pin }) => Object.entries(pin.roots)).flat();
  mesh = await meshOwner.publish({ plain: [meshWideDeny()], sealed: [], recipients: [] });
  neighbour = await neighbours.publish({ plain: [], sealed: [], recipients: [] });

  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  module = await PinnedModule.create(encodePin({ ...owner.pin, roots: Object.fromEntries(roots) }));
  const { namespace, app } = story;
  stage = await LabStage.start({ lab, namespace, app, module, recipient, beside: [mesh] });
  const hidden = { sealed: story.sealed, recipients: [{ p256dh: recipient.key.publicKey, auth: recipient.auth }] };
  const old = await owner.publish({ plain: story.first, ...hidden });
  expect(await stage.deliver(old, false)).toEqual({ answer: "ACK", codes: [] });
  const current = await owner.publish({ plain: story.second, ...hidden });
  expect(await stage.deliver(current, false)).toEqual({ answer: "ACK", codes: [] });
  expect(await stage.probe(inForce, { settle: false })).toEqual(inForce);
  loot = { old, current, freshKey: owner.keys.fresh, ns: namespace };
});
afterAll(async () => {
  await lab.stop();
  await module.remove();
});

/** Both doors give this answer to what is in etcd then, and requests are answered as before. */
async function rewritten(change: (spec: JsonObject) => JsonObject, expected: Outcome): Promise<void> {
  const outcomes = await stage.rewrite(change, { refused: expected.codes.length > 0 });
  expect(outcomes).toEqual([expected, expected]);
  expect(await stage.probe(inForce, { settle: true })).toEqual(inForce);
}

const refused = (code: Outcome["codes"][number]): Outcome => ({ answer: "NACK", codes: [code] });
/** Taken, for it is not wrong at every time, and not put in force. */
const ignored = (...codes: Outcome["codes"]): Outcome => ({ answer: "ACK", codes });
const holding = (pluginConfig: unknown) => (spec: JsonObject) => ({ ...spec, pluginConfig });
const without = (name: string) => (spec: JsonObject) =>
  Object.fromEntries(Object.entries(spec).filter(([key]) => key !== name));
const content = (...sets: readonly unknown[]): ReturnType<typeof holding> => holding({ wpgate: 1, sets });

describe("what is signed is rewritten in etcd", () => {
  test.each(ATTACKS)("$what: $code", async ({ code, forge }) => {
    const bundle = await forge(loot);
    await rewritten(content(bundle, mesh), code === "ROLLBACK" ? ignored(code) : refused(code));
  });

  test("an expired fresh statement of the owner's: FRESH_STALE", async () => {
    const sets = content({ ...loot.current, fresh: await freshOf(-7_200, -3_600) }, mesh);
    await rewritten(sets, ignored("FRESH_STALE"));
  });

  test("a root after the owner's that the owner did not sign: ROOT_INVALID", async () => {
    const roots = [...loot.current.roots, await strangersRoot(2)];
    await rewritten(content({ ...loot.current, roots }, mesh), refused("ROOT_INVALID"));
  });

  test("a root that leaves one out: ROOT_GAP", async () => {
    const roots = [...loot.current.roots, await strangersRoot(3)];
    await rewritten(content({ ...loot.current, roots }, mesh), refused("ROOT_GAP"));
  });

  test("one namespace twice, an old state behind the current one: MIXED", async () => {
    await rewritten(content(loot.current, loot.old, mesh), refused("MIXED"));
  });

  test("the set of another namespace in the owner's place: AUDIENCE", async () => {
    const { roots, fresh, envelopes } = loot.current;
    const set = neighbour.set;
    await rewritten(content({ roots, fresh, set, envelopes }, mesh), refused("AUDIENCE"));
  });

  test("a sound bundle of another namespace instead of the owner's: it is not for these workloads", async () => {
    await rewritten(content(neighbour), ignored());
  });

  test("the root namespace's deny is left out: what was in force stays", async () => {
    await rewritten(content(loot.current), ignored());
  });
});

describe("what is around it is rewritten in etcd", () => {
  test("no content at all: what was in force stays", async () => {
    await rewritten(without("pluginConfig"), ignored());
    await rewritten(holding({}), ignored());
  });

  test.each([
    ["a list instead of sets", { wpgate: 1, sets: [[]] }],
    ["a format of another time", { wpgate: 2, sets: [] }],
    ["something else beside it", { wpgate: 1, sets: [], mode: "monitor" }],
  ])("%s: PAYLOAD", async (_, pluginConfig) => {
    await rewritten(holding(pluginConfig), refused("PAYLOAD"));
  });

  test("an envelope of a megabyte: PROTO", async () => {
    const envelopes = ["A".repeat(1_000_000)];
    await rewritten(content({ ...loot.current, envelopes }, mesh), refused("PROTO"));
  });

  test("the plugin gets another name inside of Envoy, and old content", async () => {
    const set = content(loot.old, mesh);
    await rewritten((spec) => ({ ...set(spec), pluginName: "other" }), ignored("ROLLBACK"));
  });

  test("the key for sealed policies is taken out of the environment: RECIPIENT", async () => {
    const set = content(loot.current, mesh);
    await rewritten((spec) => set(without("vmConfig")(spec)), refused("RECIPIENT"));
    const env = [{ name: "WPGATE_RECIPIENT", value: "AAAA" }];
    await rewritten((spec) => ({ ...set(spec), vmConfig: { env } }), refused("RECIPIENT"));
    const honest = [{ name: "WPGATE_RECIPIENT", valueFrom: "HOST" }];
    await rewritten((spec) => ({ ...set(spec), vmConfig: { env: honest } }), ignored());
  });
});

describe("through the API server", () => {
  test("kubectl replace with an edited copy: DIGEST", async () => {
    const forged = await ATTACKS[0]!.forge(loot);
    const outcomes = await stage.watch({ refused: true }, async () => {
      for (const { plugin } of stage.doors) {
        const args = ["-n", stage.namespace, "wasmplugin", plugin];
        const copy = JSON.parse(await lab.kubectl(["get", ...args, "-o", "json"])) as { spec: JsonObject };
        const stdin = JSON.stringify({ ...copy, spec: content(forged, mesh)(copy.spec) });
        await lab.kubectl(["replace", "-f", "-"], { stdin });
      }
    });
    expect(outcomes).toEqual([refused("DIGEST"), refused("DIGEST")]);
    expect(await stage.probe(inForce, { settle: true })).toEqual(inForce);
  });

  test("a second WasmPlugin with the same module and old content: ROLLBACK", async () => {
    await rewritten(content(loot.current, mesh), ignored());
    const [door] = stage.doors;
    const watched = { workload: door!.workload, plugin: `${stage.namespace}/another` };
    const outcome = await watchDelivery(watched);
    const object = { namespace: stage.namespace, name: "another", selector: { app: story.app } };
    await lab.apply(stage.module.plugin({ ...object, bundles: [loot.old, mesh] }));
    const resourceVersion = await stage.etcd.revision(stage.keyOf("another"));
    expect((await outcome({ resourceVersion, refused: true })).codes).toEqual(["ROLLBACK"]);
    expect(await stage.probe(inForce, { settle: true })).toEqual(inForce);
    await lab.kubectl(["delete", "wasmplugin", "another", "-n", stage.namespace]);
    await until({
      what: "the listener without the second filter",
      timeoutMs: 30_000,
      probe: async () => ((await wasmConfigs(door!.workload.envoy.admin)).size === 1 ? true : undefined),
    });
  });
});

test("an Envoy that starts while a forgery lies there lets nothing through until the owner's content is back", async () => {
  const forged = await ATTACKS[0]!.forge(loot);
  const place = { ...placeOf({ namespace: stage.namespace, recipient }), name: "late", labels: { app: "late" } };
  const plugin = (bundle: NamespaceBundle): JsonObject =>
    module.plugin({ namespace: stage.namespace, name: "late", selector: place.labels, bundles: [bundle, mesh] });
  await lab.apply(plugin(forged));
  const late = await lab.startSidecar(place);
  await late.envoy.log.waitFor(/rejected: Unable to create Wasm plugin/, { timeoutMs: 30_000 });
  await late.answers("/orders/7", 500, 30_000);
  await lab.apply(plugin(loot.current));
  // The owner allows this path for another workload.
  await late.answers("/orders/7", 403, 30_000);
});

/** A confirmation of the current set by the owner, from another time. */
async function freshOf(iat: number, exp: number): Promise<string> {
  const { claims } = describeEnvelope(loot.current.set);
  const nowSec = Math.floor(Date.now() / 1000);
  const where = { ns: loot.ns, mesh: MESH, trustDomain: TRUST_DOMAIN, sub: claims.sub, ep: claims.ep };
  const statement = await signStatement({
    ...{ use: "fresh", ...where, ver: claims.ver ?? "", iatSec: nowSec + iat, expSec: nowSec + exp },
    ...{ data: encodeFresh({ set: { ver: claims.ver ?? "", cd: claims.cd } }), signers: [loot.freshKey] },
  });
  return encodeBase64Url(statement);
}

/** A root of the namespace that lists and is signed by keys of somebody else. */
async function strangersRoot(ep: number): Promise<string> {
  const keys = newOwnerKeys();
  const listed = (["root", "cfg", "fresh"] as const).map((role) => ({ role, publicKey: keys[role].publicKey }));
  const document = { ...owner.root, ep, keys: rootKeys(listed) };
  const options = { sub: "mailto:owner@team-a.example", nowMs: Date.now(), lifetimeSec: 90 * 86_400 };
  return (await signRoot({ ...options, document, signers: [keys.root] })).text;
}

function meshWideDeny(): ReturnType<typeof readObjects>[number] {
  const rules = [{ to: [{ operation: { paths: ["/orders/mesh-wide"] } }] }];
  const object = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name: "deny" } };
  return readObjects(
    [{ name: "deny", text: JSON.stringify({ ...object, spec: { action: "DENY", rules } }) }],
    "istio-system",
  )[0]!;
}
