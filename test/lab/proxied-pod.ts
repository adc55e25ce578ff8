/**
 * What the kubelet would start of a pod with `wpgate proxy`: the proxy, istio-agent and Envoy, each with the arguments and the
 * files that the pod gives it. Paths become those of a folder here, and fixed ports of a pod's loopback free ones.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { freePort } from "./free-port.ts";
import { IstioAgent } from "./istio-agent.ts";
import type { Lab } from "./lab.ts";
import { ready } from "./ready.ts";
import type { Workload } from "./workload.ts";

const run = promisify(execFile);

const LISTEN = "127.0.0.1:15010";
const ADMIN = "127.0.0.1:15081";
const ISTIOD = "istiod.istio-system.svc:15012";
const CONFIG = "/etc/wpgate";
const TOKEN = "/var/run/wpgate/tokens/istio-token";
const ROOTS = "/var/run/wpgate/istiod/root-cert.pem";
const STATE = "/var/lib/wpgate";

/** As the API server has it. */
export interface InjectedPod {
  readonly metadata: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly initContainers: readonly InjectedContainer[];
    readonly containers: readonly InjectedContainer[];
  };
}

interface InjectedContainer {
  readonly name: string;
  readonly [more: string]: unknown;
}

export interface ProxiedPodOptions {
  readonly pod: InjectedPod;
  /** The program `wpgate`, a file for Node. */
  readonly program: string;
  /** Where the application is reached, a free port. */
  readonly port?: number;
}

export class ProxiedPod {
  readonly workload: Workload;
  /** Of the proxy's admin server. */
  readonly adminUrl: string;
  readonly proxy: GuardedProcess;
  readonly #agent: IstioAgent;

  private constructor(parts: Pick<ProxiedPod, "workload" | "adminUrl" | "proxy"> & { readonly agent: IstioAgent }) {
    this.workload = parts.workload;
    this.adminUrl = parts.adminUrl;
    this.proxy = parts.proxy;
    this.#agent = parts.agent;
  }

  static async start(lab: Lab, { pod, program, port }: ProxiedPodOptions): Promise<ProxiedPod> {
    const { namespace, labels, annotations } = pod.metadata;
    const [wpgate, envoy] = ["wpgate-proxy", "istio-proxy"].map((name) => containerOf(pod, name));
    const folder = await mkdtemp(join(tmpdir(), "wpgate-pod-"));
    const ports = { [LISTEN]: await freePort(), [ADMIN]: await freePort(), [ISTIOD]: lab.istiod.securePort };
    const here = (text: string): string => {
      const local = [...Object.entries(ports)].reduce((t, [at, p]) => t.replaceAll(at, `127.0.0.1:${p}`), text);
      return [CONFIG, TOKEN, ROOTS, STATE].reduce((t, path) => t.replaceAll(path, join(folder, path)), local);
    };
    const token = ["create", "token", "default", "-n", namespace, "--audience=istio-ca"];
    await write(here(join(CONFIG, "pin.json")), annotations["wpgate.dev/pin.json"] ?? "");
    await write(here(join(CONFIG, "proxy.yaml")), here(annotations["wpgate.dev/proxy.yaml"] ?? ""));
    await write(here(TOKEN), await lab.kubectl(token));
    await write(here(ROOTS), lab.istiodAuthority ?? "");
    const args = [program, ...(wpgate?.["args"] as readonly string[]).map(here)];
    const proxy = new GuardedProcess({ file: process.execPath, args, folder });
    const probe = (wpgate?.["startupProbe"] as { readonly exec: { readonly command: readonly string[] } }).exec.command;
    const [file = "", ...rest] = probe.map(here);
    let agent: IstioAgent | undefined;
    try {
      await ready("wpgate proxy", proxy, async () => await run(file, rest).then(() => true));
      const env = envoy?.["env"] as readonly { readonly name: string; readonly value?: string }[];
      const proxyConfig = env.find(({ name }) => name === "PROXY_CONFIG")?.value ?? "";
      agent = await IstioAgent.start({
        ...{ file: lab.programs.istioAgent, ads: ports[LISTEN], namespace },
        environment: { PROXY_CONFIG: here(proxyConfig) },
        annotations: { "proxy.istio.io/config": here(annotations["proxy.istio.io/config"] ?? "") },
      });
      const workload = await lab.startSidecar({
        ...{ namespace, name: "shop", labels, ads: agent.socket, ...(port !== undefined && { port }) },
      });
      return new ProxiedPod({ workload, adminUrl: `http://${here(ADMIN)}`, proxy, agent });
    } catch (error) {
      await agent?.stop();
      await proxy.stop();
      throw error;
    }
  }

  /** Envoy belongs to the lab. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.proxy.stop();
  }
}

function containerOf({ spec }: InjectedPod, wanted: string): InjectedContainer {
  const found = [...spec.initContainers, ...spec.containers].find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`the pod has no container ${wanted}`);
  return found;
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content, { mode: 0o600 });
}
