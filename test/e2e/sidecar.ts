/** One Envoy of the tests as deploy/envoy describes it: application behind it, untrusted control plane above it. */
import type { JsonObject } from "@bufbuild/protobuf";
import { startBackend } from "../../xds-proxy/src/demo/backend.ts";
import type { Backend } from "../../xds-proxy/src/demo/backend.ts";
import { ControlPlane } from "../../xds-proxy/src/demo/control-plane.ts";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy } from "../../xds-proxy/src/demo/envoy-process.ts";
import type { EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import type { HttpRequest, HttpResponse } from "../../xds-proxy/src/demo/http-request.ts";
import { bootstrap, cluster, extensionConfig, listener, toAny, TypeUrl } from "../../xds-proxy/src/demo/resources.ts";

export interface SidecarOptions {
  readonly namespace?: string;
  readonly app?: string;
  readonly concurrency?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly componentLogLevel?: string;
  /** What a hostile control plane does to the listener before it sends it. */
  readonly editListener?: (listener: JsonObject) => JsonObject;
}

export interface Push {
  readonly wasm: string;
  readonly configuration: string;
  readonly name?: string;
  /** What a hostile control plane does to the resource before it sends it. */
  readonly edit?: (resource: JsonObject) => JsonObject;
}

export class Sidecar {
  readonly origin: ControlPlane;
  readonly envoy: EnvoyProcess;
  readonly app: Backend;
  readonly #ports = new Map<string, number>();

  private constructor(parts: Pick<Sidecar, "origin" | "envoy" | "app">) {
    this.origin = parts.origin;
    this.envoy = parts.envoy;
    this.app = parts.app;
  }

  /** Envoy runs and has cluster and listener; the listener waits for the first `deliver`. */
  static async start(options: SidecarOptions = {}): Promise<Sidecar> {
    const origin = await ControlPlane.start();
    const app = await startBackend();
    origin.set(TypeUrl.cluster, "app", toAny(cluster({ appPort: app.port })));
    origin.set(TypeUrl.listener, "inbound", toAny((options.editListener ?? ((same) => same))(listener())));
    const { namespace = "team-a", app: label = "shop", ...process } = options;
    const envoy = await startEnvoy({
      binary: await findEnvoy({ environment: globalThis.process.env }),
      bootstrap: bootstrap({ adsPort: origin.port, namespace, app: label }),
      drainTimeSec: 0,
      ...(process.concurrency !== undefined && { concurrency: process.concurrency }),
      ...(process.environment && { environment: process.environment }),
      ...(process.componentLogLevel !== undefined && { componentLogLevel: process.componentLogLevel }),
    });
    return new Sidecar({ origin, envoy, app });
  }

  /** Pushes an extension configuration, `wpgate` unless named; returns its version. */
  push(values: Push): string {
    const { name = "wpgate", edit = (same: JsonObject): JsonObject => same } = values;
    const resource = edit({ ...extensionConfig(values), name });
    return this.origin.set(TypeUrl.extensionConfig, name, toAny(resource));
  }

  /** Adds a listener like `inbound`, whose filter takes its extension configuration under the listener's own name. */
  addListener(name: string): void {
    const text = JSON.stringify({ ...listener(), name });
    const renamed: unknown = JSON.parse(
      text.replace('{"name":"wpgate","config_discovery"', `{"name":"${name}","config_discovery"`),
    );
    this.origin.set(TypeUrl.listener, name, toAny(renamed as JsonObject));
  }

  /** `listener` is `inbound` when absent. */
  async get(
    path: string,
    options: Omit<HttpRequest, "port" | "path"> & { listener?: string } = {},
  ): Promise<HttpResponse> {
    const { listener: name = "inbound", ...request } = options;
    const port = this.#ports.get(name) ?? (await this.envoy.admin.listenerPort(name));
    this.#ports.set(name, port);
    return await send({ ...request, path, port });
  }

  /** Listeners that were removed come back on other ports. */
  forgetPorts(): void {
    this.#ports.clear();
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    this.origin.stop();
    await this.app.stop();
  }
}
