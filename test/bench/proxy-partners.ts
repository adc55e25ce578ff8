/** What may stand between a control plane and Envoy: nothing, the real istio-agent, or wpgate. Each has an origin of its own. */
import { IstioAgent } from "../lab/istio-agent.ts";
import { findPrograms } from "../lab/programs.ts";
import { freePort } from "../lab/free-port.ts";
import { proxyOptions, proxyTrust, type ProxyPlace } from "../proxy/harness/proxy-config.ts";
import { ProxyProcess, SHIPPED } from "../proxy/harness/proxy-process.ts";
import { Origin } from "../proxy/harness/origin.ts";

export interface Partner {
  readonly name: string;
  readonly origin: Origin;
  /** Where a node connects to. */
  readonly address: string;
  /** Of the process in between; absent where there is none. */
  readonly pid?: number;
  stop(): Promise<void>;
}

export const NAMESPACE = "team-a";
export const nodeId = (number: number): string =>
  `sidecar~127.0.0.1~app-${number}.${NAMESPACE}~${NAMESPACE}.svc.cluster.local`;

export async function direct(): Promise<Partner> {
  const origin = await Origin.start();
  return {
    ...{ name: "direct", origin, address: origin.address },
    stop: async () => {
      origin.stop();
      await Promise.resolve();
    },
  };
}

export async function istioAgent(progress: (text: string) => void): Promise<Partner> {
  const { istioAgent: file } = await findPrograms({ onProgress: progress });
  const origin = await Origin.start();
  const agent = await IstioAgent.start({ file, ads: origin.port, namespace: NAMESPACE });
  return {
    ...{ name: "istio-agent", origin, address: `unix:${agent.socket}`, pid: agent.pid },
    stop: async () => {
      await agent.stop();
      origin.stop();
    },
  };
}

/** As users run it, its state on the disk; `check` without the pushes signed on the way, `wrap+unwrap` with both halves in one process. */
export async function wpgate(mode: ProxyPlace["mode"]): Promise<Partner> {
  const origin = await Origin.start();
  const listen = `127.0.0.1:${await freePort()}`;
  const options = proxyOptions(await proxyTrust(), { mode, upstream: origin.address, listen });
  const proxy = await ProxyProcess.start({ ...options, program: SHIPPED });
  return {
    ...{ name: `wpgate ${mode}`, origin, address: listen, pid: proxy.pid },
    stop: async () => {
      await proxy.stop();
      origin.stop();
    },
  };
}
