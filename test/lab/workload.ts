/** One Envoy of the lab, a sidecar or a gateway, whose whole configuration comes from istiod; an application behind it. */
import type { Agent } from "node:http";
import type { Backend } from "../../xds-proxy/src/demo/backend.ts";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import type { Epoch } from "../../xds-proxy/src/demo/hot-restart.ts";
import { send, type HttpRequest, type HttpResponse } from "../../xds-proxy/src/demo/http-request.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { bootstrap, type BootstrapOptions } from "./bootstrap.ts";

export interface WorkloadOptions extends Omit<BootstrapOptions, "ads"> {
  /** Where requests go in. */
  readonly port: number;
  readonly ads: BootstrapOptions["ads"];
  readonly concurrency?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly componentLogLevel?: string;
  readonly drainTimeSec?: number;
  /** Makes `hotRestart` possible: when an Envoy that was replaced ends, later than `drainTimeSec`. */
  readonly parentShutdownTimeSec?: number;
}

export class Workload {
  readonly app: Backend;
  readonly address: string;
  readonly port: number;
  readonly #options: WorkloadOptions;
  /** The ones before it have been replaced. */
  #envoy: EnvoyProcess;
  readonly #replaced: EnvoyProcess[] = [];

  private constructor(options: WorkloadOptions, app: Backend, envoy: EnvoyProcess) {
    this.app = app;
    this.address = options.address;
    this.port = options.port;
    this.#options = options;
    this.#envoy = envoy;
  }

  static async start(options: WorkloadOptions, app: Backend): Promise<Workload> {
    return new Workload(options, app, await envoyOf(options));
  }

  get envoy(): EnvoyProcess {
    return this.#envoy;
  }

  /** Worker threads. */
  get concurrency(): number {
    return this.#options.concurrency ?? 1;
  }

  /** Lets a new Envoy take over from the present one, and returns when that one has ended. */
  async hotRestart(): Promise<void> {
    const before = this.#envoy;
    this.#envoy = await envoyOf(this.#options, before.epoch);
    this.#replaced.push(before);
    await before.ended;
  }

  async send(request: Omit<HttpRequest, "port" | "host"> & { readonly agent?: Agent }): Promise<HttpResponse> {
    return await send({ ...request, host: this.address, port: this.port });
  }

  /** The status of a GET; 0 while nobody answers. */
  async get(path: string): Promise<number> {
    return await this.send({ path }).then(
      ({ status }) => status,
      () => 0,
    );
  }

  /** Waits until a GET is answered with this status. */
  async answers(path: string, status: number, timeoutMs = 20_000): Promise<void> {
    let seen = 0;
    await until({
      what: `${path} answered with ${status}`,
      timeoutMs,
      intervalMs: 20,
      context: () => `it is ${seen}; Envoy's log ends with:\n${this.envoy.log.tail(5)}`,
      probe: async () => ((seen = await this.get(path)) === status ? true : undefined),
    });
  }

  async stop(): Promise<void> {
    for (const envoy of [...this.#replaced, this.#envoy]) await envoy.stop();
    await this.app.stop();
  }
}

async function envoyOf(options: WorkloadOptions, replaces?: Epoch): Promise<EnvoyProcess> {
  const { concurrency, environment, componentLogLevel, drainTimeSec = 0, parentShutdownTimeSec } = options;
  return await startEnvoy({
    binary: await findEnvoy({ environment: process.env }),
    bootstrap: bootstrap(options),
    drainTimeSec,
    ...(concurrency !== undefined && { concurrency }),
    ...(environment && { environment }),
    ...(componentLogLevel !== undefined && { componentLogLevel }),
    ...(parentShutdownTimeSec !== undefined && { hotRestart: { parentShutdownTimeSec, replaces } }),
  });
}
