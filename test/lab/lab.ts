/** The lab: etcd, kube-apiserver and istiod with Istio's resource definitions, and the workloads that a test adds. */
import { startBackend } from "../../xds-proxy/src/demo/backend.ts";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import { ApiServer } from "./api-server.ts";
import { freePort } from "./free-port.ts";
import { injectionOf, injectionWebhook, type InjectionOptions } from "./injection.ts";
import { Istiod, type IstiodOptions } from "./istiod.ts";
import { findPrograms, type FindProgramsOptions, type Programs } from "./programs.ts";
import { gatewayObjects, sidecarObjects } from "./routing.ts";
import { Workload, type WorkloadOptions } from "./workload.ts";

export interface LabOptions extends FindProgramsOptions {
  /** Added to Istio's mesh configuration. */
  readonly mesh?: IstiodOptions["mesh"];
  readonly istiodEnvironment?: IstiodOptions["environment"];
  /** Has istiod inject sidecars into the pods of namespaces with the label `istio-injection: enabled`. */
  readonly injection?: InjectionOptions;
}

export type LabWorkload = Pick<WorkloadOptions, "namespace" | "name" | "labels"> &
  Partial<
    Pick<
      WorkloadOptions,
      | "port"
      | "delta"
      | "ads"
      | "clusters"
      | "concurrency"
      | "environment"
      | "componentLogLevel"
      | "drainTimeSec"
      | "parentShutdownTimeSec"
    >
  >;

export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Lab {
  readonly programs: Programs;
  readonly api: ApiServer;
  readonly istiod: Istiod;
  /** Of istiod's certificate, PEM; where it has one. */
  readonly istiodAuthority: string | undefined;
  readonly #workloads = new Set<Workload>();
  #addresses = 1;

  private constructor(parts: Pick<Lab, "programs" | "api" | "istiod" | "istiodAuthority">) {
    this.programs = parts.programs;
    this.api = parts.api;
    this.istiod = parts.istiod;
    this.istiodAuthority = parts.istiodAuthority;
  }

  static async start(options: LabOptions = {}): Promise<Lab> {
    const programs = await findPrograms(options);
    options.onProgress?.("starting etcd and kube-apiserver");
    const api = await ApiServer.start(programs);
    try {
      const kubeconfig = api.kubeconfigOf("admin");
      // Too large for the annotation that `kubectl apply` keeps.
      await kubectl({ programs, kubeconfig }, ["create", "-f", programs.crds]);
      await kubectl({ programs, kubeconfig }, ["apply", "-f", projectFile("test/lab/manifests/mesh.yaml")]);
      await kubectl({ programs, kubeconfig }, ["apply", "-k", projectFile("deploy/kubernetes/istiod-read-only")]);
      options.onProgress?.("starting istiod");
      const injection = options.injection && (await injectionOf(options.injection));
      const istiod = await Istiod.start({
        ...{ file: programs.istiod, kubeconfig: await kubeconfigOfIstiod(programs, api) },
        ...(options.mesh && { mesh: options.mesh }),
        ...(options.istiodEnvironment && { environment: options.istiodEnvironment }),
        ...(injection && { injection }),
      });
      if (injection) {
        const webhook = injectionWebhook(istiod.injectionUrl, injection.authority);
        await kubectl({ programs, kubeconfig, stdin: JSON.stringify(webhook) }, ["create", "-f", "-"]);
      }
      return new Lab({ programs, api, istiod, istiodAuthority: injection?.authority });
    } catch (error) {
      await api.stop();
      throw error;
    }
  }

  /** Runs kubectl as the admin, or with another kubeconfig. @throws UpstreamError when it fails */
  async kubectl(
    args: readonly string[],
    options: { readonly stdin?: string; readonly kubeconfig?: string } = {},
  ): Promise<string> {
    const { kubeconfig = this.api.kubeconfigOf("admin"), stdin } = options;
    return await kubectl({ programs: this.programs, kubeconfig, ...(stdin !== undefined && { stdin }) }, args);
  }

  /** Applies objects server-side as the admin. */
  async apply(...objects: readonly unknown[]): Promise<void> {
    await this.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], { stdin: listOf(objects) });
  }

  /** A kubeconfig for a ServiceAccount, which is made when it is missing, with a token of the API server's own. */
  async kubeconfigOfAccount(namespace: string, name: string): Promise<string> {
    await this.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
    const token = await this.kubectl(["create", "token", name, "-n", namespace]);
    return await this.api.kubeconfig(`${namespace}-${name}`, token.trim());
  }

  /** An Envoy beside an application; requests go to its inbound listener. The namespace is made when it is missing. */
  async startSidecar(options: LabWorkload): Promise<Workload> {
    return await this.#start("sidecar", options);
  }

  /** An Envoy that routes everything to an application. */
  async startGateway(options: LabWorkload): Promise<Workload> {
    return await this.#start("gateway", options);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workloads].map((workload) => workload.stop()));
    await this.istiod.stop();
    await this.api.stop();
  }

  async #start(kind: "sidecar" | "gateway", options: LabWorkload): Promise<Workload> {
    const app = await startBackend();
    const address = `127.0.0.${++this.#addresses}`;
    const { namespace, name, labels, port = await freePort(address) } = options;
    await this.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const objects = kind === "sidecar" ? sidecarObjects : gatewayObjects;
    await this.apply(...objects({ namespace, name, labels, address, port, appPort: app.port }));
    const workload = await Workload.start({ ads: this.istiod.adsPort, ...options, kind, address, port }, app);
    this.#workloads.add(workload);
    return workload;
  }
}

function listOf(items: readonly unknown[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** Of the account that istiod has in a cluster, for as long as somebody may keep a lab. */
async function kubeconfigOfIstiod(programs: Programs, api: ApiServer): Promise<string> {
  const args = ["create", "token", "istiod", "-n", "istio-system", "--duration=24h"];
  const token = await kubectl({ programs, kubeconfig: api.kubeconfigOf("admin") }, args);
  return await api.kubeconfig("istiod", token.trim());
}

interface KubectlOptions {
  readonly programs: Programs;
  readonly kubeconfig: string;
  readonly stdin?: string;
}

async function kubectl({ programs, kubeconfig, stdin }: KubectlOptions, args: readonly string[]): Promise<string> {
  const output = await run({
    ...{ file: programs.kubectl, args: [`--kubeconfig=${kubeconfig}`, ...args], stdin },
    environment: { HOME: programs.folder },
  });
  if (output?.exitCode !== 0)
    throw new UpstreamError("UNAVAILABLE", `kubectl ${args.join(" ")}: ${output?.stderr.trim() ?? "is not there"}`);
  return output.stdout;
}
