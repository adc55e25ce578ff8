/**
 * The real istiod on loopback. It reads the API server under a role that cannot write, and leaves out what stock Envoy
 * does not have: metadata exchange and Istio's own ALPN filter. Its certificate authority is off.
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { freePort } from "./free-port.ts";
import { ready } from "./ready.ts";

const ENVIRONMENT = {
  POD_NAME: "istiod-0",
  POD_NAMESPACE: "istio-system",
  CLUSTER_ID: "Kubernetes",
  ENABLE_CA_SERVER: "false",
  PILOT_CERT_PROVIDER: "none",
  EXTERNAL_ISTIOD: "false",
  INJECTION_WEBHOOK_CONFIG_NAME: "",
  VALIDATION_WEBHOOK_CONFIG_NAME: "",
  PILOT_ENABLE_METADATA_EXCHANGE: "false",
  PILOT_ENABLE_ALPN_FILTER: "false",
  PILOT_ENABLE_GATEWAY_API: "false",
  PILOT_ENABLE_XDS_IDENTITY_CHECK: "false",
};

export interface IstiodOptions {
  /** The program pilot-discovery. */
  readonly file: string;
  readonly kubeconfig: string;
  /** Added to the mesh configuration. */
  readonly mesh?: Readonly<Record<string, unknown>>;
  /** Added to its environment, such as `PILOT_DEBOUNCE_AFTER`. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class Istiod {
  /** Where Envoys connect. */
  readonly adsPort: number;
  readonly #httpPort: number;
  readonly #monitoringPort: number;
  readonly #options: IstiodOptions;
  #process: GuardedProcess | undefined;

  private constructor(options: IstiodOptions, ports: { ads: number; http: number; monitoring: number }) {
    this.#options = options;
    this.adsPort = ports.ads;
    this.#httpPort = ports.http;
    this.#monitoringPort = ports.monitoring;
  }

  static async start(options: IstiodOptions): Promise<Istiod> {
    const ports = { ads: await freePort(), http: await freePort(), monitoring: await freePort() };
    const istiod = new Istiod(options, ports);
    await istiod.resume();
    return istiod;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  get log(): string {
    return this.#process?.log.tail(20) ?? "";
  }

  /** Again after `stop`, on the same ports. */
  async resume(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-istiod-"));
    await mkdir(join(folder, "home"));
    const mesh = {
      enableAutoMtls: false,
      ingressControllerMode: "OFF",
      defaultConfig: { discoveryAddress: `127.0.0.1:${this.adsPort}` },
      ...this.#options.mesh,
    };
    await writeFile(join(folder, "mesh.yaml"), JSON.stringify(mesh));
    const process = new GuardedProcess({
      file: this.#options.file,
      folder,
      environment: { ...ENVIRONMENT, HOME: join(folder, "home"), ...this.#options.environment },
      args: [
        ...["discovery", `--kubeconfig=${this.#options.kubeconfig}`, "--meshConfig=mesh.yaml", "--shutdownDuration=1s"],
        ...[`--grpcAddr=127.0.0.1:${this.adsPort}`, `--httpAddr=127.0.0.1:${this.#httpPort}`],
        ...[
          `--monitoringAddr=127.0.0.1:${this.#monitoringPort}`,
          "--httpsAddr=",
          "--secureGRPCAddr=",
          "--ctrlz_port=0",
        ],
      ],
    });
    this.#process = process;
    await ready("istiod", process, async () => (await fetch(`http://127.0.0.1:${this.#httpPort}/ready`)).ok);
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }
}
