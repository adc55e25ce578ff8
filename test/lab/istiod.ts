/**
 * The real istiod on loopback. It reads the API server under a role that cannot write, and leaves out what stock Envoy
 * does not have: metadata exchange and Istio's own ALPN filter. Its certificate authority is off.
 */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuardedProcess } from "../../xds-proxy/src/demo/guarded-process.ts";
import { freePort } from "./free-port.ts";
import type { Injection } from "./injection.ts";
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

/** Where istiod looks for the injector's template, in the folder it runs in. */
const INJECTION_FOLDER = "var/lib/istio/inject";
const CERTIFICATE_FLAGS = ["--tlsCertFile=tls.crt", "--tlsKeyFile=tls.key", "--caCertFile=ca.crt"];

interface Ports {
  readonly ads: number;
  readonly http: number;
  readonly monitoring: number;
  readonly webhook: number;
  readonly secure: number;
}

export interface IstiodOptions {
  /** The program pilot-discovery. */
  readonly file: string;
  readonly kubeconfig: string;
  /** Added to the mesh configuration. */
  readonly mesh?: Readonly<Record<string, unknown>>;
  /** Added to its environment, such as `PILOT_DEBOUNCE_AFTER`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Makes it a webhook that injects sidecars. */
  readonly injection?: Injection;
}

export class Istiod {
  /** Where Envoys connect. */
  readonly adsPort: number;
  readonly #httpPort: number;
  readonly #monitoringPort: number;
  readonly #webhookPort: number;
  readonly #securePort: number;
  readonly #options: IstiodOptions;
  #process: GuardedProcess | undefined;
  #meshFile = "";

  private constructor(options: IstiodOptions, ports: Ports) {
    this.#options = options;
    this.adsPort = ports.ads;
    this.#httpPort = ports.http;
    this.#monitoringPort = ports.monitoring;
    this.#webhookPort = ports.webhook;
    this.#securePort = ports.secure;
  }

  static async start(options: IstiodOptions): Promise<Istiod> {
    const ports = {
      ...{ ads: await freePort(), http: await freePort() },
      ...{ monitoring: await freePort(), webhook: await freePort(), secure: await freePort() },
    };
    const istiod = new Istiod(options, ports);
    await istiod.resume();
    return istiod;
  }

  /** Where the API server asks for sidecars. */
  get injectionUrl(): string {
    return `https://127.0.0.1:${this.#webhookPort}/inject`;
  }

  /** Where Envoys connect with TLS and the token of their account; with `injection` only, which has the certificate. */
  get securePort(): number {
    return this.#securePort;
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  get log(): string {
    return this.#process?.log.tail(20) ?? "";
  }

  /** One of istiod's own debug pages, such as `/debug/syncz`. */
  async debug(path: string): Promise<unknown> {
    return await (await fetch(`http://127.0.0.1:${this.#httpPort}${path}`)).json();
  }

  /** Adds to the mesh configuration until the next edit; istiod watches the file. */
  async editMesh(changes: Readonly<Record<string, unknown>>): Promise<void> {
    const mesh = {
      enableAutoMtls: false,
      ingressControllerMode: "OFF",
      defaultConfig: { discoveryAddress: `127.0.0.1:${this.adsPort}` },
      ...this.#options.mesh,
      ...changes,
    };
    await writeFile(this.#meshFile, JSON.stringify(mesh));
  }

  /** Again after `stop`, on the same ports. */
  async resume(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-istiod-"));
    await mkdir(join(folder, "home"));
    this.#meshFile = join(folder, "mesh.yaml");
    await this.editMesh({});
    const { injection } = this.#options;
    if (injection) await writeInjection(folder, injection);
    const process = new GuardedProcess({
      file: this.#options.file,
      folder,
      environment: { ...ENVIRONMENT, HOME: join(folder, "home"), ...this.#options.environment },
      args: [
        ...["discovery", `--kubeconfig=${this.#options.kubeconfig}`, "--meshConfig=mesh.yaml", "--shutdownDuration=1s"],
        ...[`--grpcAddr=127.0.0.1:${this.adsPort}`, `--httpAddr=127.0.0.1:${this.#httpPort}`],
        ...[`--monitoringAddr=127.0.0.1:${this.#monitoringPort}`, "--ctrlz_port=0"],
        ...(injection ? [...this.#secureFlags(), ...CERTIFICATE_FLAGS] : ["--httpsAddr=", "--secureGRPCAddr="]),
      ],
    });
    this.#process = process;
    await ready("istiod", process, async () => (await fetch(`http://127.0.0.1:${this.#httpPort}/ready`)).ok);
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  #secureFlags(): readonly string[] {
    return [`--httpsAddr=127.0.0.1:${this.#webhookPort}`, `--secureGRPCAddr=127.0.0.1:${this.#securePort}`];
  }
}

async function writeInjection(folder: string, injection: Injection): Promise<void> {
  const inside = join(folder, INJECTION_FOLDER);
  await mkdir(inside, { recursive: true });
  await writeFile(join(inside, "config"), injection.config);
  await writeFile(join(inside, "values"), injection.values);
  await writeFile(join(folder, "tls.crt"), injection.certificate);
  await writeFile(join(folder, "tls.key"), injection.key, { mode: 0o600 });
  await writeFile(join(folder, "ca.crt"), injection.authority);
}
