/**
 * What a process between control plane and Envoy costs: from a push to the last byte at the client, for 10 to 10 000
 * clusters as istiod makes them, state of the world and delta. Partners take turns: no process in between, the real
 * istio-agent (which checks nothing), and wpgate.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { TYPES, CLUSTER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { cpuSecOf, rssBytesOf } from "../proxy/harness/process-usage.ts";
import { median, rounded, type Bench, type BenchResult } from "./bench.ts";
import { clusters } from "./proxy-clusters.ts";
import { direct, istioAgent, nodeId, NAMESPACE, wpgate, type Partner } from "./proxy-partners.ts";
import { pushBody, PushedNode } from "./proxy-push.ts";
import { measureStreams, STREAM_COUNT, type StreamsCost } from "./proxy-streams.ts";

interface Size {
  /** Clusters in a push. */
  readonly count: number;
  readonly warmUpRounds: number;
  readonly rounds: number;
  /** After a push, in which what is done behind it ends: istiod itself gathers changes for 100 ms. */
  readonly pauseMs: number;
}

const SIZES: readonly Size[] = [
  { count: 10, warmUpRounds: 5, rounds: 40, pauseMs: 100 },
  { count: 100, warmUpRounds: 5, rounds: 40, pauseMs: 100 },
  { count: 1_000, warmUpRounds: 5, rounds: 30, pauseMs: 150 },
  { count: 10_000, warmUpRounds: 2, rounds: 5, pauseMs: 1_000 },
];
const AGENT = "istio-agent";
const CHECK = "wpgate check";
const WHOLE = "wpgate wrap+unwrap";
const PROTOCOLS = ["sotw", "delta"] as const;

/** What pushes of one size cost through one partner. */
interface Cost {
  readonly pushMs: number[];
  /** Of the process in between. */
  cpuSec: number;
  rssBytes: number;
}

export const proxyBench: Bench = {
  name: "proxy",
  run: async (progress) => {
    const partners: Partner[] = [];
    const costs = new Map<string, Cost>();
    try {
      progress("starting the partners");
      partners.push(await direct(), await istioAgent(progress), await wpgate("check"), await wpgate("wrap+unwrap"));
      for (const protocol of PROTOCOLS) await measureProtocol({ protocol, partners, costs, progress });
    } finally {
      for (const partner of partners) await partner.stop();
    }
    return resultOf(partners, costs, await measureStreams(progress));
  },
};

interface Measurement {
  readonly protocol: Protocol;
  readonly partners: readonly Partner[];
  readonly costs: Map<string, Cost>;
  readonly progress: (text: string) => void;
}

async function measureProtocol({ protocol, partners, costs, progress }: Measurement): Promise<void> {
  const nodes = new Map<Partner, PushedNode>();
  try {
    for (const partner of partners) {
      const { origin, address } = partner;
      const place = { origin, address, protocol, nodeId: nodeId(0), namespace: NAMESPACE };
      nodes.set(partner, await PushedNode.connect(place));
    }
    for (const { count, warmUpRounds, rounds, pauseMs } of SIZES) {
      const bodies = [0, 1].map((revision) => pushBody(clusters(count, revision), String(revision), protocol));
      for (const { name } of partners) costs.set(keyOf(name, protocol, count), { pushMs: [], cpuSec: 0, rssBytes: 0 });
      for (let round = -warmUpRounds; round < rounds; round++) {
        progress(`${protocol}, ${count} clusters, round ${Math.max(0, round)} of ${rounds}`);
        for (const [partner, node] of nodes) {
          const cost = costs.get(keyOf(partner.name, protocol, count));
          const cpuBefore = await cpuOf(partner);
          const pushMs = await node.push(bodies[Math.abs(round) % 2] ?? new Uint8Array(), count);
          await sleep(pauseMs);
          if (!cost || round < 0) continue;
          cost.pushMs.push(pushMs);
          cost.cpuSec += (await cpuOf(partner)) - cpuBefore;
        }
      }
      for (const { name, pid } of partners) {
        const cost = costs.get(keyOf(name, protocol, count));
        if (cost && pid !== undefined) cost.rssBytes = await rssBytesOf(pid);
      }
    }
  } finally {
    for (const node of nodes.values()) node.close();
  }
}

async function cpuOf({ pid }: Partner): Promise<number> {
  return pid === undefined ? 0 : await cpuSecOf(pid);
}

function keyOf(partner: string, protocol: Protocol, count: number): string {
  return `${partner}_${protocol}_${count}`.replaceAll(/[^a-z0-9]+/g, "_");
}

function resultOf(partners: readonly Partner[], costs: ReadonlyMap<string, Cost>, streams: StreamsCost): BenchResult {
  const rows: string[][] = [];
  const absolute: Record<string, number> = {};
  const ratios: Record<string, number> = {};
  for (const protocol of PROTOCOLS)
    for (const { count } of SIZES) {
      const of = (name: string): Summary => summaryOf(costs, { name, protocol, count });
      const direct = of("direct");
      for (const { name } of partners) {
        const { pushMs, cpuMs, rssMb } = of(name);
        const addedMs = pushMs - direct.pushMs;
        rows.push([
          ...[`${protocol} ${count}`, name, pushMs.toFixed(2), addedMs.toFixed(2)],
          ...[cpuMs.toFixed(2), rssMb.toFixed(0)],
        ]);
        const key = keyOf(name, protocol, count);
        absolute[`${key}_push_ms`] = rounded(pushMs);
        if (name === "direct") continue;
        absolute[`${key}_added_ms`] = rounded(addedMs);
        absolute[`${key}_cpu_ms`] = rounded(cpuMs);
        absolute[`${key}_rss_mb`] = rounded(rssMb);
      }
      const suffix = `${count}${protocol === "sotw" ? "" : "_delta"}`;
      const agentMs = of(AGENT).pushMs - direct.pushMs;
      ratios[`added_latency_vs_istio_agent_${suffix}`] = rounded((of(WHOLE).pushMs - direct.pushMs) / agentMs);
      ratios[`added_latency_check_vs_istio_agent_${suffix}`] = rounded((of(CHECK).pushMs - direct.pushMs) / agentMs);
      ratios[`cpu_vs_istio_agent_${suffix}`] = rounded(of(WHOLE).cpuMs / of(AGENT).cpuMs);
    }
  for (const protocol of PROTOCOLS) {
    const perCluster = (count: number): number => summaryOf(costs, { name: WHOLE, protocol, count }).cpuMs / count;
    ratios[`cpu_per_cluster_10000_vs_100_${protocol}`] = rounded(perCluster(10_000) / perCluster(100));
  }
  return {
    table: [
      [TYPES.get(CLUSTER)?.short ?? "", "in between", "push ms", "added ms", "CPU ms", "RSS MB"],
      ...rows,
      ...Object.entries(ratios).map(([name, value]) => [name, String(value), "", "", "", ""]),
      ...Object.entries(streamNumbers(streams)).map(([name, value]) => [name, String(value), "", "", "", ""]),
    ],
    ratios,
    absolute: { ...absolute, ...streamNumbers(streams) },
  };
}

interface Summary {
  readonly pushMs: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

function summaryOf(
  costs: ReadonlyMap<string, Cost>,
  { name, protocol, count }: { name: string; protocol: Protocol; count: number },
): Summary {
  const { pushMs = [], cpuSec = 0, rssBytes = 0 } = costs.get(keyOf(name, protocol, count)) ?? {};
  return { pushMs: median(pushMs), cpuMs: (cpuSec * 1000) / pushMs.length, rssMb: rssBytes / 1e6 };
}

function streamNumbers(streams: StreamsCost): Readonly<Record<string, number>> {
  const prefix = `streams_${STREAM_COUNT}`;
  return {
    [`${prefix}_served_count`]: streams.servedCount,
    [`${prefix}_dropped_count`]: streams.droppedCount,
    [`${prefix}_all_ms`]: rounded(streams.allMs),
    [`${prefix}_cpu_ms_per_push`]: rounded(streams.cpuMsPerPush),
    [`${prefix}_rss_kb_per_stream`]: rounded(streams.rssBytesPerStream / 1000),
    [`${prefix}_idle_cpu_percent`]: rounded(streams.idleCpuShare * 100),
  };
}
