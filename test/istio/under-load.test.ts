/**
 * 200 requests a second to a sidecar, some to a gateway beside it, while what the owner signs changes and what carries it
 * comes and goes. Each answer must be that of one of the sets which could be in force at that time, alone.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { policiesOf } from "./load/alternating-sets.ts";
import { Target } from "./load/target.ts";
import { KEPT_CONNECTIONS, type Exchange } from "./load/traffic.ts";

const MIB = 1 << 20;
const WORKERS = 2;
const NAMESPACE = "team-a";
const PHASE_TIMEOUT_MS = 400_000;
const LABELS = { sidecar: { app: "shop" }, gateway: { app: "edge" } };
/** Of Envoy: connections that it still serves then are closed; what it has replaced ends. */
const DRAIN = { drainTimeSec: 2, parentShutdownTimeSec: 6 };

let lab: Lab;
let module: PinnedModule;
let owner: Owner;
let sidecar: Target;
let gateway: Target;
let version = 0;

beforeAll(async () => {
  lab = await Lab.start();
  owner = await Owner.create({ ns: NAMESPACE });
  module = await PinnedModule.create(pinOf([owner]));
  const common = { namespace: NAMESPACE, concurrency: WORKERS, ...DRAIN };
  const [beside, before] = await Promise.all([
    lab.startSidecar({ ...common, name: "shop", labels: LABELS.sidecar }),
    lab.startGateway({ ...common, name: "edge", labels: LABELS.gateway, delta: true }),
  ]);
  sidecar = new Target(beside, { ratePerSec: 200 });
  gateway = new Target(before, { ratePerSec: 40 });
  await Promise.all([beside.answers("/", 200), before.answers("/", 200)]);
  release(1);
  await apply();
  await Promise.all([sidecar.isGuarded(), gateway.isGuarded()]);
  await underLoad(async () => enforced());
});
afterAll(async () => {
  await lab.stop();
  await module.remove();
});

const targets = (): readonly Target[] => [sidecar, gateway];

/** Signs the next set and gives it to Kubernetes. */
async function apply(): Promise<void> {
  version++;
  const bundle = await owner.bundle({ policies: policiesOf(version), ver: String(version) });
  const common = { namespace: NAMESPACE, bundles: [bundle] };
  await lab.apply(
    module.plugin({ ...common, name: "sidecar", selector: LABELS.sidecar }),
    module.plugin({ ...common, name: "gateway", selector: LABELS.gateway, mode: "CLIENT" }),
  );
}

/** From now on a set may reach Envoy. */
function release(set: number): void {
  for (const target of targets()) target.release(set);
}

async function enforced(): Promise<void> {
  await Promise.all(targets().map(async (target) => target.enforces(version)));
}

async function replace(): Promise<void> {
  release(version + 1);
  await apply();
  await enforced();
}

/** Lets requests come and go. */
async function goOn(): Promise<void> {
  await Promise.all([sidecar.answersMore(300), gateway.answersMore(60)]);
}

/** Whatever `action` does, each answer is explained. Returns all of them. */
async function underLoad(action: () => Promise<void>): Promise<readonly Exchange[]> {
  await Promise.all(targets().map(async (target) => target.startLoad()));
  const done = await Promise.allSettled([action()]);
  const seen = await Promise.all(targets().map(async (target) => target.stopLoad()));
  expect(targets().flatMap(({ timeline }, i) => timeline.unexplained(seen[i]!))).toEqual([]);
  for (const outcome of done) if (outcome.status === "rejected") throw outcome.reason;
  return seen.flat();
}

const retriesOf = (seen: readonly Exchange[]): number => seen.reduce((sum, { retries }) => sum + retries, 0);

async function untilVmsAreGone(): Promise<void> {
  for (const { workload } of targets()) {
    // The main thread's, each worker's, and the one that others are cloned from.
    await expect
      .poll(async () => workload.envoy.admin.stat("wasm.wasm_vm_count"), { timeout: 60_000 })
      .toBe(WORKERS + 2);
  }
}

async function untilRootEpoch(epoch: number): Promise<void> {
  for (const { workload } of targets()) {
    const gauge = async (): Promise<number> => workload.envoy.admin.stat("wasmcustom.wpgate_namespace_root_epoch");
    await expect.poll(gauge, { timeout: 60_000 }).toBe(epoch);
  }
}

test("50 replacements of the set", { timeout: PHASE_TIMEOUT_MS }, async () => {
  const rssBytes = async (): Promise<readonly number[]> =>
    Promise.all(targets().map(async ({ workload }) => workload.envoy.rssBytes()));
  let before: readonly number[] = [];
  let after: readonly number[] = [];
  const seen = await underLoad(async () => {
    for (let i = 1; i <= 50; i++) {
      await replace();
      // Those which come now can only be answered by this set.
      await sidecar.answersMore(20);
      if (i === 10) before = await rssBytes();
    }
    after = await rssBytes();
  });
  const versions = Array.from({ length: 51 }, (_, i) => i + 1);
  for (const { timeline } of targets()) expect(timeline.enforced).toEqual(versions);
  expect(seen.length).toBeGreaterThan(1_000);
  expect(seen.filter((exchange) => sidecar.timeline.possible(exchange).size === 1).length).toBeGreaterThan(500);
  expect(retriesOf(seen)).toBe(0);
  const answers = new Set(seen.map(({ path, status }) => `${path} ${status}`));
  const both = ["/even", "/odd"].flatMap((path) => [`${path} 200`, `${path} 403`]);
  const denied = ["/mix-even", "/mix-odd", "/denied-by-all", "/named-by-none"].map((path) => `${path} 403`);
  expect([...answers]).toEqual(expect.arrayContaining(["/always 200", ...both, ...denied]));
  for (const [i, bytes] of after.entries()) expect(bytes - before[i]!).toBeLessThan(64 * MIB);
  await untilVmsAreGone();
});

test("new keys, twice, and the root before them no longer accepted", { timeout: PHASE_TIMEOUT_MS }, async () => {
  const seen = await underLoad(async () => {
    for (const root of [{}, { minEp: 3 }]) {
      owner = await owner.rotate({ root });
      await replace();
      await replace();
      await goOn();
    }
  });
  expect(retriesOf(seen)).toBe(0);
  await untilRootEpoch(3);
});

test("istiod stops, and starts again", { timeout: PHASE_TIMEOUT_MS }, async () => {
  const seen = await underLoad(async () => {
    await lab.istiod.stop();
    await goOn();
    await apply();
    await goOn();
    release(version);
    await lab.istiod.resume();
    await enforced();
    await replace();
    await goOn();
  });
  expect(retriesOf(seen)).toBe(0);
});

test("the API server stops, and starts again", { timeout: PHASE_TIMEOUT_MS }, async () => {
  const seen = await underLoad(async () => {
    await lab.api.stopServer();
    await goOn();
    await lab.api.startServer();
    await goOn();
    await replace();
    await goOn();
  });
  expect(retriesOf(seen)).toBe(0);
});

test("Envoy hot-restarts while a set is replaced", { timeout: PHASE_TIMEOUT_MS }, async () => {
  const first = targets().map(({ workload }) => workload.envoy.pid);
  const seen = await underLoad(async () => {
    release(version + 1);
    await Promise.all([apply(), ...targets().map(async ({ workload }) => workload.hotRestart())]);
    await goOn();
  });
  // At most each kept connection, once.
  expect(retriesOf(seen)).toBeLessThanOrEqual(targets().length * KEPT_CONNECTIONS);
  for (const [i, { workload }] of targets().entries()) expect(workload.envoy.pid).not.toBe(first[i]);
  const later = await underLoad(async () => {
    await enforced();
    await replace();
    await goOn();
  });
  expect(retriesOf(later)).toBe(0);
  await untilRootEpoch(3);
  await untilVmsAreGone();
});
