/** One Envoy of the lab, a sidecar or a gateway, whose whole configuration comes from istiod; an application behind it. */
import type { Agent } from "node:http";
import type { Backend } from "../../xds-proxy/src/demo/backend.ts";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
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
}

export class Workload {
  readonly envoy: EnvoyProcess;
  readonly app: Backend;
  readonly address: string;
  readonly port: number;

  private constructor(parts: { envoy: EnvoyProcess; app: Backend; address: string; port: number }) {
    this.envoy = parts.envoy;
    this.app = parts.app;
    this.address = parts.address;
    this.port = parts.port;
  }

  static async start(options: WorkloadOptions, app: Backend): Promise<Workload> {
    const { concurrency, environment, componentLogLevel, drainTimeSec = 0, address, port } = options;
    const envoy = await startEnvoy({
      binary: await findEnvoy({ environment: process.env }),
      bootstrap: bootstrap(options),
      drainTimeSec,
      ...(concurrency !== undefined && { concurrency }),
      ...(environment && { environment }),
      ...(componentLogLevel !== undefined && { componentLogLevel }),
    });
    return new Workload({ envoy, app, address, port });
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
    await this.envoy.stop();
    await this.app.stop();
  }
}
