/** Many nodes on one unwrapping proxy, each with a connection of its own, and a wrapping one before it: a push to each, then nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { freePort } from "../lab/free-port.ts";
import { Origin } from "../proxy/harness/origin.ts";
import { proxyOptions, proxyTrust } from "../proxy/harness/proxy-config.ts";
import { ProxyProcess, SHIPPED } from "../proxy/harness/proxy-process.ts";
import { clusters } from "./proxy-clusters.ts";
import { NAMESPACE, nodeId } from "./proxy-partners.ts";
import { pushBody, PushedNode } from "./proxy-push.ts";

export const STREAM_COUNT = 500;
/** Of one push, 300 kB. */
export const CLUSTER_COUNT = 100;
/** Nodes that connect at a time. */
const CONNECT_COUNT = 25;
const IDLE_SEC = 20;
/** For garbage and file buffers of the pushes. */
const SETTLE_MS = 5_000;

/** Of the unwrapping proxy. */
export interface StreamsCost {
  readonly servedCount: number;
  readonly droppedCount: number;
  /** From the first push to the last byte of the last one. */
  readonly allMs: number;
  readonly rssBytesPerStream: number;
  /** Of one core. */
  readonly idleCpuShare: number;
  readonly cpuMsPerPush: number;
}

export async function measureStreams(progress: (text: string) => void): Promise<StreamsCost> {
  const origin = await Origin.start();
  const ends: (() => Promise<void>)[] = [];
  const nodes: PushedNode[] = [];
  try {
    const [between, listen] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const trust = await proxyTrust();
    const start = async (options: Parameters<typeof proxyOptions>[1]): Promise<ProxyProcess> => {
      const proxy = await ProxyProcess.start({ ...proxyOptions(trust, options), program: SHIPPED });
      ends.push(async () => proxy.stop());
      return proxy;
    };
    await start({ mode: "wrap", upstream: origin.address, listen: between });
    const proxy = await start({ mode: "unwrap", upstream: between, listen });
    const body = pushBody(clusters(CLUSTER_COUNT, 0), "1", "sotw");
    const place = { origin, address: listen, protocol: "sotw" as const, namespace: NAMESPACE };
    // What the first stream needs all others share.
    const first = await PushedNode.connect({ ...place, nodeId: nodeId(0) });
    nodes.push(first);
    await first.push(body, CLUSTER_COUNT);
    const rssBefore = await proxy.rssBytes();
    while (nodes.length < STREAM_COUNT) {
      progress(`${nodes.length} of ${STREAM_COUNT} streams`);
      const numbers = Array.from(
        { length: Math.min(CONNECT_COUNT, STREAM_COUNT - nodes.length) },
        (_, i) => nodes.length + i,
      );
      const connected = await Promise.all(
        numbers.map(async (number) => PushedNode.connect({ ...place, nodeId: nodeId(number) })),
      );
      nodes.push(...connected);
    }
    progress("a push to each");
    const cpuBefore = await proxy.cpuSec();
    const startMs = performance.now();
    const results = await Promise.allSettled(nodes.map(async (node) => node.push(body, CLUSTER_COUNT)));
    const allMs = performance.now() - startMs;
    await untilWritten(proxy);
    const cpuMs = ((await proxy.cpuSec()) - cpuBefore) * 1000;
    await sleep(SETTLE_MS);
    const rssAfter = await proxy.rssBytes();
    progress(`${IDLE_SEC} s of nothing`);
    const idleBefore = await proxy.cpuSec();
    await sleep(IDLE_SEC * 1000);
    const idleSec = (await proxy.cpuSec()) - idleBefore;
    return {
      ...{ servedCount: results.filter(({ status }) => status === "fulfilled").length, allMs },
      droppedCount: nodes.filter(({ client }) => client.ended !== undefined).length,
      rssBytesPerStream: (rssAfter - rssBefore) / (nodes.length - 1),
      idleCpuShare: idleSec / IDLE_SEC,
      cpuMsPerPush: cpuMs / nodes.length,
    };
  } finally {
    for (const node of nodes) node.close();
    for (const end of ends.reverse()) await end();
    origin.stop();
  }
}

/** What nodes accepted is written behind them. */
async function untilWritten(proxy: ProxyProcess): Promise<void> {
  await until({
    what: "all that was accepted being on the disk",
    timeoutMs: 60_000,
    intervalMs: 100,
    probe: async () => (/^wpgate_proxy_store_queue 0$/m.test((await proxy.admin("/metrics")).body) ? true : undefined),
  });
}
