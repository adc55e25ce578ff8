/**
 * What the kubelet would start of a pod with `wpgate proxy`: the proxy, istio-agent and Envoy, each with the arguments and the
 * files that the pod gives it.
 */
import { Container, type ContainerSpec } from "./container.ts";
import { freePort } from "./free-port.ts";
import { IstioAgent } from "./istio-agent.ts";
import type { Lab } from "./lab.ts";
import type { Workload } from "./workload.ts";

const LISTEN = "127.0.0.1:15010";
const ADMIN = "127.0.0.1:15081";
/** Where a pod finds istiod. */
export const ISTIOD = "istiod.istio-system.svc:15012";
/** The authority of istiod's certificate, as Istio hands it to pods. */
export const ISTIOD_ROOTS = "/var/run/wpgate/istiod/root-cert.pem";

/** As the API server has it. */
export interface InjectedPod {
  readonly metadata: {
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly initContainers: readonly ContainerSpec[];
    readonly containers: readonly ContainerSpec[];
  };
}

export interface ProxiedPodOptions {
  readonly pod: InjectedPod;
  /** The program `wpgate`, a file for Node. */
  readonly program: string;
  /** Where the application is reached, a free port. */
  readonly port?: number;
  /** Ports of 127.0.0.1 in the place of addresses, beside istiod's. */
  readonly addresses?: Readonly<Record<string, number>>;
  /** Authorities that the proxy finds in the place of istiod's, PEM. */
  readonly roots?: string;
}

export class ProxiedPod {
  readonly workload: Workload;
  /** Of the proxy's admin server. */
  readonly adminUrl: string;
  readonly #proxy: Container;
  readonly #agent: IstioAgent;

  private constructor(parts: { proxy: Container; agent: IstioAgent; workload: Workload }) {
    this.#proxy = parts.proxy;
    this.#agent = parts.agent;
    this.workload = parts.workload;
    this.adminUrl = `http://${parts.proxy.here(ADMIN)}`;
  }

  static async start(lab: Lab, options: ProxiedPodOptions): Promise<ProxiedPod> {
    const { pod, program, port, roots = lab.istiodAuthority ?? "", addresses = {} } = options;
    const { namespace, labels, annotations } = pod.metadata;
    const listen = await freePort();
    const token = ["create", "token", "default", "-n", namespace, "--audience=istio-ca"];
    const proxy = await Container.start({
      ...{ spec: containerOf(pod, "wpgate-proxy"), program },
      files: {
        "/etc/wpgate/pin.json": annotations["wpgate.dev/pin.json"] ?? "",
        "/etc/wpgate/proxy.yaml": annotations["wpgate.dev/proxy.yaml"] ?? "",
        "/var/run/wpgate/tokens/istio-token": await lab.kubectl(token),
        [ISTIOD_ROOTS]: roots,
      },
      folders: ["/var/lib/wpgate"],
      addresses: { [LISTEN]: listen, [ADMIN]: await freePort(), [ISTIOD]: lab.istiod.securePort, ...addresses },
    });
    let agent: IstioAgent | undefined;
    try {
      const proxyConfig = environmentOf(containerOf(pod, "istio-proxy"), "PROXY_CONFIG");
      agent = await IstioAgent.start({
        ...{ file: lab.programs.istioAgent, ads: listen, namespace },
        environment: { PROXY_CONFIG: proxy.here(proxyConfig) },
        annotations: { "proxy.istio.io/config": proxy.here(annotations["proxy.istio.io/config"] ?? "") },
      });
      const workload = await lab.startSidecar({
        ...{ namespace, name: "shop", labels, ads: agent.socket, ...(port !== undefined && { port }) },
      });
      return new ProxiedPod({ workload, proxy, agent });
    } catch (error) {
      await agent?.stop();
      await proxy.stop();
      throw error;
    }
  }

  /** The last lines that the proxy has written. */
  get log(): string {
    return this.#proxy.process.log.tail(20);
  }

  /** Envoy belongs to the lab. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#proxy.stop();
  }
}

function containerOf({ spec }: InjectedPod, wanted: string): ContainerSpec {
  const found = [...spec.initContainers, ...spec.containers].find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`the pod has no container ${wanted}`);
  return found;
}

function environmentOf(container: ContainerSpec, wanted: string): string {
  return container.env?.find(({ name }) => name === wanted)?.value ?? "";
}
