/** The proxy as a whole, built from its configuration. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProxyConfig, UpstreamConfig } from "../config/proxy-config.ts";
import type { Requirement } from "../identity/authenticate.ts";
import { ENVELOPE_OVERHEAD_MAX_BYTES } from "../gen/limits.ts";
import { TokenVerifier } from "../identity/jwt.ts";
import { startAdminServer, type AdminServer } from "./admin-server.ts";
import { CheckSide, isUnwrapping } from "./check/check-side.ts";
import { Half } from "./half.ts";
import { ProxyMetrics } from "./metrics.ts";
import type { ProxyOptions, RunningProxy } from "./running-proxy.ts";
import type { NamespaceView, ProxyView, Readiness, StreamView, TypeResources } from "./view.ts";
import { WrapSide } from "./wrap/wrap-side.ts";

/** @throws ConfigError, UpstreamError; nothing is left behind then */
export async function startProxy(config: ProxyConfig, options: ProxyOptions): Promise<RunningProxy> {
  const proxy = new WholeProxy(config, options);
  try {
    await proxy.start();
    options.signal.throwIfAborted();
    return proxy;
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

class WholeProxy implements RunningProxy, ProxyView {
  readonly mode: ProxyConfig["mode"];
  readonly #config: ProxyConfig;
  readonly #options: ProxyOptions;
  readonly #metrics = new ProxyMetrics();
  #wrap: Half<WrapSide> | undefined;
  #check: Half<CheckSide> | undefined;
  #admin: AdminServer | undefined;
  #folder: string | undefined;

  constructor(config: ProxyConfig, options: ProxyOptions) {
    this.mode = config.mode;
    this.#config = config;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { mode, listen, upstream, admin } = this.#config;
    const { nowMs } = this.#options;
    const joint = mode === "wrap+unwrap" ? this.#joint() : undefined;
    if (mode === "wrap" || joint) {
      this.#wrap = this.#wrapping(upstream, joint ? [{ address: joint.address, socketMode: 0o600 }] : listen);
      await this.#wrap.listen();
    }
    if (mode !== "wrap") {
      this.#check = this.#checking(joint ?? upstream);
      await this.#check.listen();
    }
    this.#metrics.watch(this, nowMs);
    if (admin) this.#admin = await startAdminServer({ address: admin, view: this, metrics: this.#metrics, nowMs });
  }

  get addresses(): RunningProxy["addresses"] {
    return (this.#check ?? this.#wrap)?.addresses ?? [];
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  get pinned(): readonly string[] {
    return this.#check?.side.pinned ?? [];
  }

  streams(): readonly StreamView[] {
    return [...(this.#check?.sessions.views ?? []), ...(this.#wrap?.sessions.views ?? [])];
  }

  resources(nodeId: string): readonly TypeResources[] | undefined {
    return this.#check?.side.resources(nodeId);
  }

  namespaces(): readonly NamespaceView[] {
    return this.#check?.side.namespaces() ?? [];
  }

  readiness(): Readiness {
    const streams = this.streams();
    const lost = streams.find(({ upstream, types }) => upstream.state !== "connected" && types.length === 0);
    return lost
      ? {
          ready: false,
          reason: `stream ${lost.id} of ${lost.nodeId} waits for upstream: ${lost.upstream.reason ?? ""}`,
        }
      : { ready: true, reason: "ready" };
  }

  storeQueueCount(): number {
    return this.#check?.side.storeQueueCount ?? 0;
  }

  async drain(): Promise<void> {
    const graceMs = this.#config.drainSec * 1000;
    await this.#check?.drain(graceMs);
    await this.#wrap?.drain(graceMs);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#admin?.close();
    await this.#check?.close();
    await this.#wrap?.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #wrapping(upstream: UpstreamConfig, listen: ProxyConfig["listen"]): Half<WrapSide> {
    const parts = { ...this.#options, config: this.#config, metrics: this.#metrics };
    const requirement = (side: WrapSide): Requirement => this.#requirement(side);
    return new Half({
      ...parts,
      listen,
      upstream,
      messageMaxBytes: this.#config.limits.messageMaxBytes,
      requirement,
      side: (connect) => new WrapSide({ ...parts, connect }),
    });
  }

  /** Beside Envoy the socket is what is trusted. */
  #checking(upstream: UpstreamConfig): Half<CheckSide> {
    const parts = { ...this.#options, config: this.#config, metrics: this.#metrics };
    const { listen, namespace, limits } = this.#config;
    const requirement = (): Requirement => ({ trustDomains: [], namespace, mtls: false });
    return new Half({
      ...parts,
      listen,
      upstream,
      // What a wrapping proxy may take has to come through with its envelope around it.
      messageMaxBytes: limits.messageMaxBytes + (isUnwrapping(this.#config) ? 2 * ENVELOPE_OVERHEAD_MAX_BYTES : 0),
      requirement,
      side: (connect) => new CheckSide({ ...parts, connect }),
    });
  }

  /** Who may have signed pushes: a node with credentials, where some are asked for. */
  #requirement({ trustDomain }: WrapSide): Requirement {
    const { identity, namespace } = this.#config;
    const tokens = identity.jwt && new TokenVerifier({ ...identity.jwt, nowMs: this.#options.nowMs });
    return { trustDomains: [trustDomain], namespace, mtls: identity.mtls, tokens };
  }

  /** Where the two halves of one process meet. */
  #joint(): UpstreamConfig & { readonly address: { readonly kind: "unix"; readonly path: string } } {
    this.#folder = mkdtempSync(join(tmpdir(), "wpgate-joint-"));
    const { connectTimeoutSec, keepalive } = this.#config.upstream;
    return { address: { kind: "unix", path: join(this.#folder, "ads") }, connectTimeoutSec, keepalive };
  }
}
