/** What Envoy accepted comes back as it was, and costs a write only where it changed. */
import { rmSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { LimitError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import { Store, type StoreLimits } from "../../xds-proxy/src/store/store.ts";
import { deltaBytes, readDeltaResource, readSotwResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { cluster, newFolder, STATE } from "./kept.ts";

const DAY_MS = 86_400_000;
const NODE = "sidecar~10.0.0.1~app.team-a~team-a.svc.cluster.local";

let folder: string;
let store: Store;
let nowMs: number;
let faults: unknown[];
const open = (limits: Partial<StoreLimits> = {}): Store =>
  Store.open(folder, { limits, now: () => nowMs, onFault: (error) => faults.push(error) });
beforeEach(() => {
  folder = newFolder();
  nowMs = 1_800_000_000_000;
  faults = [];
  store = open();
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

test("state of the world and delta come back with the same bytes, names, versions and order", () => {
  const sotw = [cluster("z", "1"), cluster("a", "2")].map(({ any }) => readSotwResource(any, CLUSTER));
  const delta = ["y", "b"].map((name) => readDeltaResource(deltaBytes(cluster(name, "3", `v-${name}`))));
  // A type whose names are not known.
  const nameless = [cluster("p", "4"), cluster("q", "5")].map(({ any }) => readSotwResource(any, "other"));
  store.keepAccepted(NODE, CLUSTER, sotw, "v1");
  store.keepAccepted(NODE, LISTENER, delta);
  store.keepAccepted(NODE, "other", nameless, "");
  store.close();
  store = open();
  expect(plain(store.accepted(NODE, CLUSTER))).toEqual(plain(sotw));
  expect(plain(store.accepted(NODE, LISTENER))).toEqual(plain(delta));
  expect(plain(store.accepted(NODE, "other"))).toEqual(plain(nameless));
  expect(store.typeVersion(NODE, CLUSTER)).toBe("v1");
  expect(store.typeVersion(NODE, LISTENER)).toBe("");
  expect(store.acceptedTypes(NODE)).toEqual([CLUSTER, LISTENER, "other"]);
  expect(store.accepted("another", CLUSTER)).toEqual([]);
  expect(store.acceptedTypes("another")).toEqual([]);
  expect(faults).toEqual([]);
});

test("a set replaces the one before, and rows that are the same are not written again", () => {
  store.keepAccepted(NODE, CLUSTER, [cluster("a", "1"), cluster("b", "1"), cluster("c", "1")], "1");
  store.flush();
  const reader = new Database(store.path);
  reader.exec(`CREATE TABLE written (name TEXT);
    CREATE TRIGGER i AFTER INSERT ON resource BEGIN INSERT INTO written VALUES (new.name); END;
    CREATE TRIGGER u AFTER UPDATE ON resource BEGIN INSERT INTO written VALUES (new.name); END;
    CREATE TRIGGER d AFTER DELETE ON resource BEGIN INSERT INTO written VALUES ('-' || old.name); END;`);
  const next = [cluster("a", "1"), cluster("b", "2"), cluster("d", "1")];
  store.keepAccepted(NODE, CLUSTER, next, "2");
  store.flush();
  expect(reader.prepare("SELECT name FROM written ORDER BY name").pluck().all()).toEqual(["-c", "b", "d"]);
  reader.close();
  expect(plain(store.accepted(NODE, CLUSTER))).toEqual(plain(next));
  expect(store.typeVersion(NODE, CLUSTER)).toBe("2");
  store.keepAccepted(NODE, CLUSTER, []);
  store.flush();
  expect(store.accepted(NODE, CLUSTER)).toEqual([]);
});

test("what is queued is read at once, written a moment later, all of it together, and only the newest", async () => {
  const other = open();
  store.keepAccepted(NODE, CLUSTER, [cluster("a", "1")], "1");
  store.keepAccepted(NODE, LISTENER, [cluster("l", "1")], "1");
  store.keepAccepted(NODE, CLUSTER, [cluster("a", "2")], "2");
  expect(store.typeVersion(NODE, CLUSTER)).toBe("2");
  expect(other.acceptedTypes(NODE)).toEqual([]);
  await until({ what: "the write", probe: () => (other.acceptedTypes(NODE).length > 0 ? true : undefined) });
  expect(plain(other.accepted(NODE, CLUSTER))).toEqual(plain([cluster("a", "2")]));
  expect(plain(other.accepted(NODE, LISTENER))).toEqual(plain([cluster("l", "1")]));
  other.close();
});

test("a queue that is full is written before the call returns", () => {
  store.close();
  store = open({ queueMaxBytes: 1_000 });
  const other = open();
  store.keepAccepted(NODE, CLUSTER, [cluster("a", "x".repeat(600))]);
  expect(other.acceptedTypes(NODE)).toEqual([]);
  store.keepAccepted(NODE, LISTENER, [cluster("b", "x".repeat(600))]);
  expect(other.acceptedTypes(NODE)).toEqual([CLUSTER, LISTENER]);
  other.close();
});

test("nodes that were not seen for long, and the oldest of too many, are dropped", () => {
  for (const node of ["n1", "n2", "n3"]) {
    store.keepAccepted(node, CLUSTER, [cluster("a", node)]);
    store.flush();
    nowMs += DAY_MS;
  }
  store.keepAccepted("n1", CLUSTER, [cluster("a", "n1")]);
  store.close();
  nowMs += 13 * DAY_MS;
  store = open({ nodesMaxCount: 2 });
  const kept = (): readonly number[] => ["n1", "n2", "n3", "n4"].map((node) => store.accepted(node, CLUSTER).length);
  expect(kept()).toEqual([1, 0, 1, 0]);
  store.keepAccepted("n4", CLUSTER, [cluster("a", "n4")]);
  store.flush();
  expect(kept()).toEqual([1, 0, 0, 1]);
  expect(faults).toEqual([]);
});

test("all sets together have a bound: other nodes make room, and a set that is too large alone is left out", () => {
  store.close();
  store = open({ acceptedMaxBytes: 1_000 });
  store.keepAccepted("n1", CLUSTER, [cluster("a", "x".repeat(600))]);
  store.flush();
  store.keepAccepted("n2", CLUSTER, [cluster("a", "x".repeat(600))]);
  store.flush();
  expect(["n1", "n2"].map((node) => store.accepted(node, CLUSTER).length)).toEqual([0, 1]);
  store.keepAccepted("n2", CLUSTER, [cluster("a", "x".repeat(2_000))]);
  store.keepAccepted("n2", LISTENER, [cluster("b", "")]);
  store.flush();
  expect(store.acceptedTypes("n2")).toEqual([LISTENER]);
  expect(faults).toEqual([expect.any(LimitError)]);
  expect(String(faults[0])).toContain("CDS of n2 has");
});

test("many small resources do not take the room that floors need", () => {
  store.close();
  const limits = { acceptedMaxBytes: 500_000, fileMaxBytes: 2_000_000 };
  store = open(limits);
  const names = Array.from({ length: 2_000 }, (_, i) => String(i));
  for (const node of ["n1", "n2", "n3"]) {
    store.keepAccepted(
      node,
      CLUSTER,
      names.map((name) => cluster(name, "")),
    );
    store.flush();
  }
  expect(faults).toEqual([]);
  expect(store.accepted("n3", CLUSTER)).toHaveLength(2_000);
  expect(store.accepted("n2", CLUSTER)).toEqual([]);
  store.keepNamespace("team-a", { state: STATE, bundle: { roots: ["r".repeat(300_000)], envelopes: [] } });
});

test("a damaged row: nothing is known, and somebody hears of it", () => {
  store.keepAccepted(NODE, CLUSTER, [cluster("a", "1")]);
  store.flush();
  const writer = new Database(store.path);
  writer.exec("UPDATE resource SET body = zeroblob(7)");
  writer.close();
  expect(store.accepted(NODE, CLUSTER)).toEqual([]);
  expect(faults).toEqual([expect.any(UpstreamError)]);
  expect(String(faults[0])).toContain(`${store.path}: CDS a of ${NODE} is damaged`);
});

/** Without the difference between kinds of octet strings. */
function plain(resources: readonly Resource[]): readonly unknown[] {
  const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");
  return resources.map(({ value, any, delta, ...rest }) => ({
    ...rest,
    value: hex(value),
    any: hex(any),
    delta: hex(delta),
  }));
}
