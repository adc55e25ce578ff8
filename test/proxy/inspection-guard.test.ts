import { beforeAll, describe, expect, test } from "vitest";
import { stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { CLUSTER, EXTENSION, LISTENER, ROUTES } from "../../xds-proxy/src/xds/type-url.ts";
import { faultsOf, InspectionStage, type StageOptions } from "./inspection-stage.ts";
import { clusterOf, EXT, extensionOf, listenerOf, MODULE_SHA256 } from "./istiod-resources.ts";
import { guardOf, pinOf, policyOf, TestOwner } from "./owner.ts";

const START_MS = Date.parse("2030-01-01T00:00:00Z");
const PROTOCOLS = ["sotw", "delta"] as const;
const SDS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const SPEC = { ports: [{ port: 8080 }], belt: false, filter: { sha256: [MODULE_SHA256] } };
const GOOD = listenerOf("inbound", 8080, [EXT]);
const BAD = listenerOf("inbound", 8080, []);
const OTHER = listenerOf("other", 9090, []);

let owner: TestOwner;
let unguarded: NamespaceBundle;
let guarded: NamespaceBundle;
let labelled: NamespaceBundle;

beforeAll(async () => {
  owner = await TestOwner.create("team-a", START_MS);
  unguarded = await owner.publish([policyOf("team-a", "GET")]);
  const selector = { matchLabels: { app: "shop" } };
  labelled = await owner.publish([policyOf("team-a", "GET"), guardOf("team-a", { ...SPEC, selector })]);
  guarded = await owner.publish([policyOf("team-a", "GET"), guardOf("team-a", SPEC)]);
});

function bare(more: Partial<StageOptions> = {}): InspectionStage {
  return new InspectionStage({ protocol: "sotw", pin: pinOf(owner), nowMs: START_MS + 3_600_000, ...more });
}

async function learn(stage: InspectionStage, bundle: NamespaceBundle): Promise<void> {
  await stage.send(EXTENSION, { [EXT]: extensionOf({ text: encodeBundle([bundle]) }) });
}

async function guardedStage(more: Partial<StageOptions> = {}): Promise<InspectionStage> {
  const stage = bare(more);
  await learn(stage, guarded);
  return stage;
}

/** The deny-all form of what would have been there. */
function isClosed(value: Uint8Array | undefined): boolean {
  return value !== undefined && Buffer.from(value).includes("wpgate_deny_all");
}

describe.each(PROTOCOLS)("%s: a listener", (protocol) => {
  test("that keeps the Guard goes on as it came, byte for byte", async () => {
    const stage = await guardedStage({ protocol });
    const response = stage.response(LISTENER, { inbound: GOOD, other: OTHER });
    const result = await stage.inspection.inspect(response);
    expect(result.delivery).toBe(response);
    expect(result.refused).toEqual([]);
  });

  test("that does not is closed where it was never good; what is beside it goes on", async () => {
    const stage = await guardedStage({ protocol });
    const result = await stage.send(LISTENER, { other: OTHER, inbound: BAD });
    expect(faultsOf(result)).toEqual(["filter-missing denied inbound"]);
    expect(result.delivery?.resources.map(({ name }) => name)).toEqual(["other", "inbound"]);
    expect(stage.has(LISTENER, "other")).toEqual(OTHER);
    expect(isClosed(stage.has(LISTENER, "inbound"))).toBe(true);
    expect(result.refusal).toMatch(/^wpgate refused LDS inbound: filter-missing: /);
  });

  test("that does not stays as it was when it was good", async () => {
    const stage = await guardedStage({ protocol });
    await stage.send(LISTENER, { inbound: GOOD });
    expect(faultsOf(await stage.send(LISTENER, { inbound: BAD }))).toEqual(["filter-missing kept inbound"]);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("that does not stays as it was before a restart", async () => {
    const stage = await guardedStage({ protocol });
    await stage.send(LISTENER, { inbound: GOOD });
    stage.restart();
    expect(faultsOf(await stage.send(LISTENER, { inbound: BAD }))).toEqual(["filter-missing kept inbound"]);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("that was good once is not kept when the owner wants something else now", async () => {
    const stage = bare({ protocol });
    await learn(stage, unguarded);
    await stage.send(LISTENER, { inbound: BAD });
    expect(stage.has(LISTENER, "inbound")).toEqual(BAD);
    await learn(stage, guarded);
    expect(faultsOf(await stage.send(LISTENER, { inbound: BAD }))).toEqual(["filter-missing denied inbound"]);
  });

  test("is judged again when the owner says something else", async () => {
    const stage = bare({ protocol });
    await learn(stage, unguarded);
    await stage.send(LISTENER, { inbound: BAD, other: OTHER });
    expect(await stage.inspection.again(LISTENER)).toBeUndefined();
    await learn(stage, guarded);
    expect(stage.inspection.judgedTypes).toContain(LISTENER);
    const again = await stage.inspection.again(LISTENER);
    expect(again && faultsOf(stage.take(again))).toEqual(["filter-missing denied inbound"]);
    expect(await stage.inspection.again(LISTENER)).toBeUndefined();
    expect(await stage.inspection.again(ROUTES)).toBeUndefined();
  });

  test("is judged again although Envoy has not answered to its last form", async () => {
    const stage = bare({ protocol });
    await learn(stage, unguarded);
    await stage.send(LISTENER, { inbound: GOOD });
    // On its way when the owner speaks.
    const sent = await stage.inspection.inspect(stage.response(LISTENER, { inbound: BAD }));
    await learn(stage, guarded);
    const again = await stage.inspection.again(LISTENER);
    expect(again && faultsOf(again)).toEqual(["filter-missing kept inbound"]);
    stage.take(sent);
    if (again) stage.take(again);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("that a Guard of other workloads would refuse goes on", async () => {
    const stage = bare({ protocol, labels: { app: "till" } });
    await learn(stage, labelled);
    expect((await stage.send(LISTENER, { inbound: BAD })).refused).toEqual([]);
    const shop = bare({ protocol, labels: { app: "shop" } });
    await learn(shop, labelled);
    expect(faultsOf(await shop.send(LISTENER, { inbound: BAD }))).toEqual(["filter-missing denied inbound"]);
  });

  test("is closed while nothing is known of an owner that is pinned", async () => {
    const stage = bare({ protocol });
    expect(faultsOf(await stage.send(LISTENER, { other: OTHER }))).toEqual(["no-statements denied other"]);
    expect(isClosed(stage.has(LISTENER, "other"))).toBe(true);
    await learn(stage, guarded);
    const again = await stage.inspection.again(LISTENER);
    expect(again && faultsOf(stage.take(again))).toEqual([]);
    expect(stage.has(LISTENER, "other")).toEqual(OTHER);
  });

  test("is closed while no word has come for too long, good or not, and opened afterwards", async () => {
    const stage = await guardedStage({ protocol });
    await stage.send(LISTENER, { inbound: GOOD, other: OTHER });
    stage.stale = true;
    const closed = await stage.inspection.again(LISTENER);
    expect(closed && faultsOf(stage.take(closed))).toEqual(["stale denied inbound", "stale denied other"]);
    expect(isClosed(stage.has(LISTENER, "other"))).toBe(true);
    stage.stale = false;
    const opened = await stage.inspection.again(LISTENER);
    expect(opened && faultsOf(stage.take(opened))).toEqual([]);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("with another message inside does not take the place of the one that is there", async () => {
    const stage = await guardedStage({ protocol });
    await stage.send(LISTENER, { inbound: GOOD });
    const response = stage.response(CLUSTER, { inbound: stringField(1, "inbound") });
    const result = stage.take(await stage.inspection.inspect({ ...response, typeUrl: LISTENER }));
    expect(faultsOf(result)).toContain("TYPE dropped inbound");
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
    expect(await stage.inspection.again(LISTENER)).toBeUndefined();
  });

  test("of a node that no owner is pinned for is nobody's business", async () => {
    const stage = bare({ protocol, namespace: "team-b" });
    expect((await stage.send(LISTENER, { inbound: BAD })).refused).toEqual([]);
  });
});

describe("state of the world", () => {
  test("a protected listener that is left out comes back, the others go", async () => {
    const stage = await guardedStage();
    await stage.send(LISTENER, { inbound: GOOD, other: OTHER });
    const result = await stage.send(LISTENER, {});
    expect(faultsOf(result)).toEqual(["removed kept inbound"]);
    expect([...stage.accepted(LISTENER).keys()]).toEqual(["inbound"]);
  });

  test("a name for the second time is dropped", async () => {
    const stage = await guardedStage();
    const response = stage.response(LISTENER, { inbound: GOOD, other: OTHER });
    const evil = stage.response(LISTENER, { inbound: BAD }).resources;
    const both = { ...response, resources: [...response.resources, ...evil] };
    const result = stage.take(await stage.inspection.inspect(both));
    expect(faultsOf(result)).toEqual(["TYPE dropped inbound"]);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("clusters that a new Guard does not let stay are taken away", async () => {
    const stage = bare();
    await learn(stage, unguarded);
    const backend = clusterOf("backend", "10.0.0.9", 8080);
    await stage.send(CLUSTER, { backend, back: clusterOf("back", "127.0.0.1", 8080) });
    await learn(stage, guarded);
    const again = await stage.inspection.again(CLUSTER);
    expect(again && faultsOf(stage.take(again))).toEqual(["exposure dropped back"]);
    expect([...stage.accepted(CLUSTER).keys()]).toEqual(["backend"]);
    expect(await stage.inspection.again(CLUSTER)).toBeUndefined();
  });
});

describe("delta", () => {
  test("a protected listener is not removed, the others are", async () => {
    const stage = await guardedStage({ protocol: "delta" });
    await stage.send(LISTENER, { inbound: GOOD, other: OTHER });
    const result = await stage.send(LISTENER, {}, ["inbound", "other", "never-there"]);
    expect(faultsOf(result)).toEqual(["removed kept inbound"]);
    expect(result.delivery?.removed).toEqual(["other", "never-there"]);
  });

  test("a name outside that is not the one inside is refused: Envoy goes by the one inside", async () => {
    const stage = await guardedStage({ protocol: "delta" });
    await stage.send(LISTENER, { inbound: GOOD });
    const result = await stage.send(LISTENER, { harmless: listenerOf("inbound", 9090, []) });
    expect(faultsOf(result)).toEqual(["TYPE dropped harmless"]);
    expect(result.delivery?.resources).toEqual([]);
  });

  test("a listener whose bytes cannot be read is left out", async () => {
    const stage = await guardedStage({ protocol: "delta" });
    await stage.send(LISTENER, { inbound: GOOD });
    expect(faultsOf(await stage.send(LISTENER, { inbound: Uint8Array.of(10, 99) }))).toEqual(["TYPE dropped inbound"]);
    expect(stage.has(LISTENER, "inbound")).toEqual(GOOD);
  });

  test("clusters that a new Guard does not let stay are removed by name", async () => {
    const stage = bare({ protocol: "delta" });
    await learn(stage, unguarded);
    await stage.send(CLUSTER, { back: clusterOf("back", "127.0.0.1", 8080) });
    await learn(stage, guarded);
    const result = await stage.send(CLUSTER, { back: clusterOf("back", "127.0.0.1", 8080) });
    expect(faultsOf(result)).toEqual(["exposure dropped back"]);
    expect(result.delivery).toMatchObject({ resources: [], removed: ["back"] });
    expect(stage.accepted(CLUSTER).size).toBe(0);
  });

  test("what Envoy brought along and the server does not have is removed, unless it is protected", async () => {
    const stage = await guardedStage({ protocol: "delta" });
    await stage.send(LISTENER, { inbound: GOOD, other: OTHER });
    stage.restart();
    stage.initial = ["inbound", "other", "third"];
    const result = await stage.send(LISTENER, { third: listenerOf("third", 9091, []) });
    expect(faultsOf(result)).toEqual(["removed kept inbound"]);
    expect(result.delivery?.removed).toEqual(["other"]);
  });
});

test("what is none of the judged types goes on as it came", async () => {
  const stage = await guardedStage();
  const response = stage.response(SDS, { tls: stringField(1, "tls") });
  expect((await stage.inspection.inspect(response)).delivery).toBe(response);
  expect(stage.inspection.judgedTypes).not.toContain(SDS);
});

test("what is refused is told in one line that has an end", async () => {
  const stage = await guardedStage();
  const names = Array.from({ length: 200 }, (_, index) => `in\nbound-${index}`);
  const result = await stage.send(
    LISTENER,
    Object.fromEntries(names.map((name) => [name, listenerOf(name, 8080, [])])),
  );
  expect(result.refused).toHaveLength(200);
  expect(result.refusal).not.toMatch(/\p{C}/u);
  expect(result.refusal?.length).toBe(2_048);
});
