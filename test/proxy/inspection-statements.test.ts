import { beforeAll, describe, expect, test } from "vitest";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { encodeRecipientVariable } from "../../xds-proxy/src/owner/recipient.ts";
import { EXTENSION, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { faultsOf, InspectionStage, type StageOptions } from "./inspection-stage.ts";
import { EXT, extensionOf, listenerOf, MODULE_SHA256, readExtension } from "./istiod-resources.ts";
import { guardOf, pinOf, policyOf, TestOwner } from "./owner.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const DAY_MS = 86_400_000;
const RBAC_URL = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const PROTOCOLS = ["sotw", "delta"] as const;

let owner: TestOwner;
let mesh: TestOwner;
/** Of team-a, oldest first, and one of the root namespace. */
let bundles: readonly [NamespaceBundle, NamespaceBundle, NamespaceBundle];
let meshBundle: NamespaceBundle;
let guarded: NamespaceBundle;
const recipientKey = ExchangeKey.generate();
const recipient = { key: recipientKey, auth: new Uint8Array(16).fill(7) };

beforeAll(async () => {
  owner = await TestOwner.create("team-a", START_MS);
  mesh = await TestOwner.create("istio-system", START_MS);
  const publish = async (method: string): Promise<NamespaceBundle> => await owner.publish([policyOf("team-a", method)]);
  bundles = [await publish("GET"), await publish("POST"), await publish("PUT")];
  meshBundle = await mesh.publish([policyOf("istio-system", "GET")]);
  const spec = { ports: [{ port: 8080 }], belt: false, filter: { sha256: [MODULE_SHA256] } };
  guarded = await owner.publish([policyOf("team-a", "GET"), guardOf("team-a", spec)]);
});

function stageOf(more: Partial<StageOptions> = {}): InspectionStage {
  return new InspectionStage({ protocol: "sotw", pin: pinOf(owner), nowMs: START_MS + 3_600_000, ...more });
}

function ext(
  sets: readonly NamespaceBundle[],
  more: Parameters<typeof extensionOf>[0] = {},
): Record<string, Uint8Array> {
  return { [EXT]: extensionOf({ text: encodeBundle(sets), ...more }) };
}

function spoilt(bundle: NamespaceBundle): NamespaceBundle {
  const text = bundle.set ?? "";
  const at = text.length - 8;
  const other = text[at] === "A" ? "B" : "A";
  return { ...bundle, set: text.slice(0, at) + other + text.slice(at + 1) };
}

describe.each(PROTOCOLS)("%s: an extension with statements", (protocol) => {
  test("that are good goes on with its code on this machine and without istiod's notes", async () => {
    const stage = stageOf({ protocol });
    const result = await stage.send(EXTENSION, ext([bundles[0]], { environment: { PLAIN: "1" } }));
    expect(result.refused).toEqual([]);
    expect(result.refusal).toBeUndefined();
    expect(readExtension(stage.extension(EXT))).toMatchObject({
      ...{ text: encodeBundle([bundles[0]]), environment: { PLAIN: "1" }, file: `/modules/${MODULE_SHA256}.wasm` },
    });
    expect(stage.trust.known("team-a")?.bundle).toEqual(bundles[0]);
    expect(stage.memory.namespaces().get("team-a")?.bundle).toEqual(bundles[0]);
  });

  test("that somebody has changed keeps the last verified ones, and istiod is told", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]]));
    const result = await stage.send(EXTENSION, ext([spoilt(bundles[1])]));
    expect(faultsOf(result)).toHaveLength(1);
    expect(result.refused[0]).toMatchObject({ resource: EXT, outcome: "repaired" });
    expect(result.refusal).toContain(`wpgate refused ECDS ${EXT}: `);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[0]]));
    expect(stage.trust.known("team-a")?.bundle).toEqual(bundles[0]);
  });

  test("that are older than what was seen is not believed", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[1]]));
    const result = await stage.send(EXTENSION, ext([bundles[0]]));
    expect(faultsOf(result)).toEqual([`ROLLBACK repaired ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[1]]));
  });

  test("that are older than what was seen before a restart is not believed either", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[1]]));
    stage.restart();
    expect(stage.trust.known("team-a")?.bundle).toEqual(bundles[1]);
    expect(faultsOf(await stage.send(EXTENSION, ext([bundles[0]])))).toEqual([`ROLLBACK repaired ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[1]]));
  });

  test("of which a namespace was left out gets it back", async () => {
    const stage = stageOf({ protocol, pin: pinOf(owner, mesh) });
    await stage.send(EXTENSION, ext([bundles[0], meshBundle]));
    expect(faultsOf(await stage.send(EXTENSION, ext([bundles[1]])))).toEqual([`OMITTED repaired ${EXT}`]);
    // What was good and new in it counts all the same.
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[1], meshBundle]));
  });

  test("that have run out keeps them as they are: how old is too old, the filter decides", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]]));
    stage.nowMs += 2 * DAY_MS;
    expect(faultsOf(await stage.send(EXTENSION, ext([bundles[0]])))).toEqual([`FRESH_STALE repaired ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[0]]));
  });

  test("that have run out before anything was known is closed", async () => {
    const stage = stageOf({ protocol });
    stage.nowMs += 2 * DAY_MS;
    expect(faultsOf(await stage.send(EXTENSION, ext([bundles[0]])))).toEqual([`FRESH_STALE denied ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).typeUrl).toBe(RBAC_URL);
  });

  test("that are nobody's is closed where nothing is known", async () => {
    const stage = stageOf({ protocol });
    const result = await stage.send(EXTENSION, ext([spoilt(bundles[0])]));
    expect(result.refused[0]).toMatchObject({ outcome: "denied" });
    expect(readExtension(stage.extension(EXT)).typeUrl).toBe(RBAC_URL);
    expect(stage.trust.known("team-a")).toBeUndefined();
  });

  test("of a namespace that nobody has pinned is not believed", async () => {
    const stage = stageOf({ protocol });
    const result = await stage.send(EXTENSION, ext([meshBundle]));
    expect(result.refused.every(({ outcome }) => outcome === "denied")).toBe(true);
    expect(stage.memory.namespaces().size).toBe(0);
  });

  test("whose configuration is no bundle of this format is PAYLOAD", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]]));
    const result = await stage.send(EXTENSION, { [EXT]: extensionOf({ text: '{"wpgate":2,"sets":[]}' }) });
    expect(faultsOf(result)).toEqual([`PAYLOAD repaired ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[0]]));
  });

  test("whose bytes are no extension configuration at all gets its last form", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]]));
    const before = stage.extension(EXT);
    const good = ext([bundles[1]])[EXT] ?? new Uint8Array();
    // The name can be read, the Wasm inside is cut off.
    const broken = Uint8Array.from([10, EXT.length, ...Buffer.from(EXT), 18, 4, ...good.subarray(good.length - 4)]);
    const result = await stage.send(EXTENSION, { [EXT]: broken });
    expect(faultsOf(result)).toEqual([`PROTO kept ${EXT}`]);
    expect(stage.extension(EXT)).toEqual(before);
  });

  test("that is what it was, but for istiod's notes, is the same bytes", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]], { environment: { B: "2", A: "1" } }));
    const before = stage.extension(EXT);
    const notes = { A: "1", ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "77", B: "2", ISTIO_META_X: "y" };
    await stage.send(EXTENSION, ext([bundles[0]], { environment: notes }));
    expect(stage.extension(EXT)).toEqual(before);
  });

  test("is kept as istiod sent it, and served again from there", async () => {
    const stage = stageOf({ protocol });
    const sent = ext([bundles[0]]);
    await stage.send(EXTENSION, sent);
    const [kept] = [...(stage.memory.accepted.get(EXTENSION)?.values() ?? [])];
    expect(kept?.value).toEqual(sent[EXT]);
    const before = stage.extension(EXT);
    stage.restart();
    const offer = stage.take(await stage.inspection.offer(EXTENSION, [...stage.kept(EXTENSION).values()]));
    expect(offer.refused).toEqual([]);
    expect(stage.extension(EXT)).toEqual(before);
  });

  test("whose code cannot be had is closed, and comes back when it can", async () => {
    const stage = stageOf({ protocol });
    await stage.send(EXTENSION, ext([bundles[0]]));
    stage.files.missing = true;
    expect(faultsOf(await stage.send(EXTENSION, ext([bundles[1]])))).toEqual([`UNAVAILABLE denied ${EXT}`]);
    expect(readExtension(stage.extension(EXT)).typeUrl).toBe(RBAC_URL);
    stage.files.missing = false;
    const cutOff = Uint8Array.from([10, EXT.length, ...Buffer.from(EXT), 18, 2, 8, 1]);
    expect(faultsOf(await stage.send(EXTENSION, { [EXT]: cutOff }))).toEqual([`PROTO kept ${EXT}`]);
    // What came in between was good, too: its statements are newer.
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([bundles[1]]));
  });
});

describe("the recipient's key", () => {
  const variable = encodeRecipientVariable(recipient);
  const withGuard = async (): Promise<InspectionStage> => {
    const stage = stageOf({ recipientVariable: variable, recipient });
    await stage.send(EXTENSION, ext([guarded]));
    return stage;
  };

  test("goes to the filter that the Guard names, once there is one", async () => {
    const stage = await withGuard();
    expect(readExtension(stage.extension(EXT)).environment).toEqual({ WPGATE_RECIPIENT: variable });
  });

  test("goes to no other, whatever asks for it by name", async () => {
    const stage = await withGuard();
    const thief = extensionOf({
      ...{ name: "other", environment: { WPGATE_RECIPIENT: "me" }, hostKeys: ["WPGATE_RECIPIENT", "HOME"] },
      text: encodeBundle([guarded]),
    });
    const result = await stage.send(EXTENSION, { other: thief });
    expect(faultsOf(result).every((fault) => fault.endsWith(" denied other"))).toBe(true);
    const unguarded = stageOf({ recipientVariable: variable });
    await unguarded.send(EXTENSION, {
      other: extensionOf({
        ...{ name: "other", environment: { WPGATE_RECIPIENT: "me" }, hostKeys: ["WPGATE_RECIPIENT", "HOME"] },
      }),
    });
    const { environment, hostKeys } = readExtension(unguarded.extension("other"));
    expect([environment, hostKeys]).toEqual([{}, ["HOME"]]);
  });
});

describe("sealed statements", () => {
  const readers = [{ p256dh: recipientKey.publicKey, auth: recipient.auth }];

  test("are verified where their key is, and go on as they are", async () => {
    const sealed = await owner.publish([policyOf("team-a", "GET")], readers);
    const stage = stageOf({ recipient });
    expect((await stage.send(EXTENSION, ext([sealed]))).refused).toEqual([]);
    expect(readExtension(stage.extension(EXT)).text).toBe(encodeBundle([sealed]));
    const other = stageOf({ recipient: { key: ExchangeKey.generate(), auth: recipient.auth } });
    expect(faultsOf(await other.send(EXTENSION, ext([sealed])))).toEqual([`RECIPIENT denied ${EXT}`]);
    expect(faultsOf(await stageOf().send(EXTENSION, ext([sealed])))).toEqual([`RECIPIENT denied ${EXT}`]);
  });

  test("of which one is left out are not all there is", async () => {
    const sealed = await owner.publish([policyOf("team-a", "GET"), policyOf("team-a", "PUT", "b")], readers);
    const stage = stageOf({ recipient });
    const less = { ...sealed, envelopes: sealed.envelopes.slice(1) };
    expect(faultsOf(await stage.send(EXTENSION, ext([less])))).toEqual([`OMITTED denied ${EXT}`]);
  });
});

describe("a Guard among the statements", () => {
  test("binds from the moment it is known", async () => {
    const stage = stageOf();
    await stage.send(EXTENSION, ext([guarded]));
    expect(stage.trust.guardsFor("team-a", {})).toHaveLength(1);
    const result = await stage.send(LISTENER, { inbound: listenerOf("inbound", 8080, []) });
    expect(faultsOf(result)).toEqual(["filter-missing denied inbound"]);
  });

  test("holds its own filter to the module that it names", async () => {
    const stage = stageOf();
    await stage.send(EXTENSION, ext([guarded]));
    const before = stage.extension(EXT);
    const result = await stage.send(EXTENSION, ext([guarded], { sha256: "cd".repeat(32) }));
    expect(faultsOf(result)).toEqual([`module kept ${EXT}`]);
    expect(stage.extension(EXT)).toEqual(before);
  });

  test("refuses its filter without statements", async () => {
    const stage = stageOf();
    await stage.send(EXTENSION, ext([guarded]));
    const before = stage.extension(EXT);
    expect(faultsOf(await stage.send(EXTENSION, { [EXT]: extensionOf({}) }))).toEqual([`PAYLOAD kept ${EXT}`]);
    expect(stage.extension(EXT)).toEqual(before);
  });

  test("does not let its filter be taken away (delta)", async () => {
    const stage = stageOf({ protocol: "delta" });
    await stage.send(EXTENSION, ext([guarded]));
    const result = await stage.send(EXTENSION, {}, [EXT, "other"]);
    expect(faultsOf(result)).toEqual([`removed kept ${EXT}`]);
    expect(result.delivery?.removed).toEqual(["other"]);
  });
});
