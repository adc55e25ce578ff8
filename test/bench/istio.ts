/**
 * What a change costs end to end: from the call that applies it to the first request that is answered by it, and to the
 * last one that is not. A namespace of 20 policies of which one changes, signed as a WasmPlugin for one sidecar, and as
 * native AuthorizationPolicy objects for another one, through the same API server and the same istiod with its defaults.
 */
import { Cluster } from "../../xds-proxy/src/kubernetes/cluster.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import type { Workload } from "../lab/workload.ts";
import { Owner, pinOf, type Policy } from "../scenarios/owner.ts";
import { median, rounded, type Bench, type BenchResult } from "./bench.ts";
import { watchChange, type ChangeTimes } from "./change-times.ts";

const POLICY_COUNT = 20;
const WARM_UP_COUNT = 5;
const CHANGE_COUNT = 100;
const WORKERS = 2;
/** A native change replaces the filter chains: connections on the old ones are not cut off at once. */
const DRAIN_TIME_SEC = 5;
const SIGNED = "signed";
const NATIVE = "native";

interface Contender {
  readonly name: typeof SIGNED | typeof NATIVE;
  readonly workload: Workload;
  /** Prepares a change, and returns what gives it to the API server. */
  readonly prepare: (change: number) => Promise<() => Promise<void>>;
  readonly times: ChangeTimes[];
}

export const istioBench: Bench = {
  name: "istio",
  run: async (progress) => {
    progress("starting API server and istiod");
    const lab = await Lab.start({ onProgress: progress });
    const ended = new AbortController();
    const owner = await Owner.create({ ns: SIGNED });
    const module = await PinnedModule.create(pinOf([owner]));
    try {
      const cluster = await Cluster.open({
        ...{ kubeconfig: lab.api.kubeconfigOf("admin"), environment: process.env, signal: ended.signal },
      });
      const start = async (namespace: string): Promise<Workload> =>
        await lab.startSidecar({
          ...{ namespace, name: "shop", labels: { app: "shop" } },
          ...{ concurrency: WORKERS, drainTimeSec: DRAIN_TIME_SEC },
        });
      const contenders: readonly Contender[] = [
        { name: SIGNED, workload: await start(SIGNED), prepare: signedChange({ cluster, owner, module }), times: [] },
        { name: NATIVE, workload: await start(NATIVE), prepare: nativeChange(cluster), times: [] },
      ];
      await interleave(contenders, progress);
      return resultOf(contenders);
    } finally {
      ended.abort();
      await lab.stop();
      await module.remove();
    }
  },
};

/** The first policy changes, and says which change it is; the others are always the same. */
function policies(change: number): readonly [Policy, ...Policy[]] {
  const allow = (name: string, path: string): Policy => ({
    name,
    spec: {
      selector: { matchLabels: { app: "shop" } },
      action: "ALLOW",
      rules: [{ to: [{ operation: { methods: ["GET", "POST"], paths: [path, `${path}/*`] } }] }],
    },
  });
  const others = Array.from({ length: POLICY_COUNT - 1 }, (_, i) => allow(`policy-${i}`, `/api/v1/resource-${i}`));
  return [allow("changing", `/change/${change}`), ...others];
}

function signedChange(parts: {
  readonly cluster: Cluster;
  readonly owner: Owner;
  readonly module: PinnedModule;
}): Contender["prepare"] {
  const { cluster, owner, module } = parts;
  return async (change) => {
    const bundle = await owner.bundle({ policies: policies(change), ver: String(change) });
    const plugin = module.plugin({ namespace: SIGNED, selector: { app: "shop" }, bundles: [bundle] });
    return async () => {
      const resource = { group: "extensions.istio.io", version: "v1alpha1", plural: "wasmplugins" };
      await patch(cluster, { ...resource, namespace: SIGNED, name: "wpgate" }, plugin);
    };
  };
}

function nativeChange(cluster: Cluster): Contender["prepare"] {
  const resource = { group: "security.istio.io", version: "v1", plural: "authorizationpolicies", namespace: NATIVE };
  return async (change) => {
    const [changing, ...others] = policies(change);
    const give = async ({ name, spec }: Policy): Promise<void> => {
      const object = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name }, spec };
      await patch(cluster, { ...resource, name }, object);
    };
    if (change === 1) for (const policy of others) await give(policy);
    return async () => give(changing);
  };
}

interface ResourceName {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
}

/** Server-side apply, the same call for both. */
async function patch(cluster: Cluster, resource: ResourceName, body: unknown): Promise<void> {
  const { PatchStrategy } = await import("@kubernetes/client-node");
  const { group, plural, namespace, name } = resource;
  await cluster.call(
    { verb: "patch", resource: plural, group, namespace, name },
    (api, options) =>
      api.patchNamespacedCustomObject({ ...resource, body, fieldManager: "bench", force: true }, options),
    PatchStrategy.ServerSideApply,
  );
}

async function interleave(contenders: readonly Contender[], progress: (text: string) => void): Promise<void> {
  for (let change = 1; change <= WARM_UP_COUNT + CHANGE_COUNT; change++) {
    progress(`change ${change} of ${WARM_UP_COUNT + CHANGE_COUNT}`);
    for (const { workload, prepare, times } of contenders) {
      const give = await prepare(change);
      if (change === 1) await untilFirstIsEnforced(workload, give);
      else {
        const measured = await watchChange({ workload, path: `/change/${change}`, give });
        if (change > WARM_UP_COUNT) times.push(measured);
      }
    }
  }
}

/** Before the first one everything is allowed. */
async function untilFirstIsEnforced(workload: Workload, give: () => Promise<void>): Promise<void> {
  await give();
  await until({
    what: "the first policies being enforced",
    timeoutMs: 60_000,
    probe: async () =>
      (await workload.get("/denied")) === 403 && (await workload.get("/change/1")) === 200 ? true : undefined,
  });
}

function resultOf(contenders: readonly Contender[]): BenchResult {
  const of = (name: string, member: keyof ChangeTimes): readonly number[] =>
    (contenders.find((contender) => contender.name === name)?.times ?? []).map((times) => times[member]);
  const ratio = (member: keyof ChangeTimes, statistic: (values: readonly number[]) => number): number =>
    statistic(of(SIGNED, member)) / statistic(of(NATIVE, member));
  const members = ["appliedMs", "firstMs", "allMs"] as const;
  const row = (name: string): readonly string[] =>
    members.flatMap((member) => [median(of(name, member)).toFixed(0), p99(of(name, member)).toFixed(0)]);
  const ratios = {
    apply_to_enforced_vs_native: ratio("firstMs", median),
    apply_to_enforced_p99_vs_native: ratio("firstMs", p99),
    apply_to_all_workers_vs_native: ratio("allMs", median),
    apply_to_all_workers_p99_vs_native: ratio("allMs", p99),
  };
  return {
    table: [
      ["ms, p50 and p99", "API server", "", "first request", "", "all requests", ""],
      ...[SIGNED, NATIVE].map((name) => [name, ...row(name)]),
      ...Object.entries(ratios).map(([name, value]) => [name, value.toFixed(3), "", "", "", "", ""]),
    ],
    ratios: Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, rounded(value)])),
    absolute: Object.fromEntries(
      [SIGNED, NATIVE].flatMap((name) =>
        members.flatMap((member) => [
          [`${name}_p50_${member}`, rounded(median(of(name, member)))] as const,
          [`${name}_p99_${member}`, rounded(p99(of(name, member)))] as const,
        ]),
      ),
    ),
  };
}

/** By nearest rank. */
function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
