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

export class Sidecar {
  readonly origin: ControlPlane;
  readonly envoy: EnvoyProcess;
  readonly app: Backend;
  #port: number | undefined;

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
      ...(process.concurrency !== undefined && { concurrency: process.concurrency }),
      ...(process.environment && { environment: process.environment }),
      ...(process.componentLogLevel !== undefined && { componentLogLevel: process.componentLogLevel }),
    });
    return new Sidecar({ origin, envoy, app });
  }

  /** Pushes the extension configuration; returns its version. */
  push(values: { wasm: string; configuration: string; edit?: (resource: JsonObject) => JsonObject }): string {
    const resource = extensionConfig(values);
    return this.origin.set(TypeUrl.extensionConfig, "wpgate", toAny((values.edit ?? ((same) => same))(resource)));
  }

  async get(path: string, options: Omit<HttpRequest, "port" | "path"> = {}): Promise<HttpResponse> {
    this.#port ??= await this.envoy.admin.listenerPort("inbound");
    return await send({ ...options, path, port: this.#port });
  }

  async stop(): Promise<void> {
    await this.envoy.stop();
    this.origin.stop();
    await this.app.stop();
  }
}
