/** The side beside Envoy: what comes from upstream is held to what owners signed, whether or not it comes as signed pushes. */
import { join } from "node:path";
import type { ProxyConfig } from "../../config/proxy-config.ts";
import { InternalError } from "../../errors.ts";
import { ModuleCache } from "../../modules/module-cache.ts";
import { Store } from "../../store/store.ts";
import { sha256 } from "../../crypto/sha256.ts";
import type { ConnectUpstream } from "../../grpc/ads-stream.ts";
import { LocalCode } from "./code-files.ts";
import { LOG_EVENTS } from "../../log.ts";
import type { ProxyMetrics } from "../metrics.ts";
import { PushTrust } from "./push-trust.ts";
import { RECONNECT } from "./reconnect.ts";
import type { ProxyOptions } from "../running-proxy.ts";
import { Session, type SessionContext } from "./session.ts";
import type { Arrival } from "../sessions.ts";
import { readPin, readRecipientKey } from "./trust-files.ts";
import { Trust } from "./trust.ts";
import { unwrapping } from "./unwrap-stream.ts";
import type { NamespaceView, TypeResources } from "../view.ts";
import { shortName } from "../../xds/type-url.ts";
import type { ExchangeKeyFile } from "../../crypto/key-files.ts";
import { encodeRecipientVariable } from "../../owner/recipient.ts";

export interface CheckSideOptions extends ProxyOptions {
  readonly config: ProxyConfig;
  readonly metrics: ProxyMetrics;
  readonly connect: ConnectUpstream;
}

export class CheckSide {
  readonly #options: CheckSideOptions;
  readonly #store: Store;
  readonly #trust: Trust;
  readonly #push: PushTrust | undefined;
  readonly #recipient: ExchangeKeyFile | undefined;
  readonly #context: SessionContext;
  readonly #ended = new AbortController();

  /** @throws ConfigError, UpstreamError */
  constructor(options: CheckSideOptions) {
    const { config, log, metrics, nowMs } = options;
    const { mode, state, pin: pinPath, recipient } = config;
    if (pinPath === undefined) throw new InternalError("a configuration without a pin got here");
    const pin = readPin(pinPath);
    this.#options = options;
    this.#recipient = recipient === undefined ? undefined : readRecipientKey(recipient);
    this.#store = Store.open(state, {
      now: nowMs,
      onFault: (error) => {
        log.error(LOG_EVENTS.storeFailed, { reason: String(error) });
      },
    });
    this.#trust = new Trust({ pin, keeper: this.#store, recipient: this.#recipient, nowMs });
    this.#push = isUnwrapping(config) ? new PushTrust(pin, this.#store) : undefined;
    const modules = ModuleCache.open(join(state, "modules"), { now: nowMs });
    this.#context = {
      ...{ mode, trust: this.#trust, keeper: this.#store, policy: RECONNECT, log, metrics, nowMs },
      files: new LocalCode(modules, this.#ended.signal),
      resourcesMaxCount: config.limits.resourcesMaxCount,
      recipient: this.#recipient && encodeRecipientVariable(this.#recipient),
    };
    this.#trust.onChange((ns) => {
      if (ns === this.#push?.rootNamespace) this.#push.refresh();
      const known = this.#trust.known(ns);
      log.info(LOG_EVENTS.trustAdvanced, { namespace: ns, rootEp: known?.root.ep, setVer: known?.state.setVer });
    });
  }

  get pinned(): readonly string[] {
    return Object.keys(this.#trust.pin.roots);
  }

  serve({ id, node, first, said, stream }: Arrival): Session {
    const { connect, config, nowMs } = this.#options;
    const push = this.#push;
    const alive = push && new PushLiveness(push);
    const upstream = push
      ? unwrapping({
          ...{ connect, trust: push, node: node.id, recipient: this.#recipient, nowMs },
          heartbeatSec: config.unwrap.heartbeatSec,
          onAlive: () => {
            alive?.note();
          },
        })
      : connect;
    return new Session(
      { id, node, first, said, stream, connect: upstream, isStale: () => alive?.isStale === true },
      this.#context,
    );
  }

  namespaces(): readonly NamespaceView[] {
    return this.pinned.map((namespace) => {
      const known = this.#trust.known(namespace);
      return {
        namespace,
        ...(known && { rootEp: known.root.ep, setVer: known.state.setVer, expSec: known.expiresAtSec }),
      };
    });
  }

  resources(nodeId: string): readonly TypeResources[] | undefined {
    const types = this.#store.acceptedTypes(nodeId);
    if (types.length === 0) return undefined;
    return types.map((typeUrl) => ({
      ...{ typeUrl, short: shortName(typeUrl), version: this.#store.typeVersion(nodeId, typeUrl) },
      resources: this.#store.accepted(nodeId, typeUrl).map(({ name, version, value }) => ({
        ...{ name, version, lengthBytes: value.length, sha256: Buffer.from(sha256(value)).toString("hex") },
      })),
    }));
  }

  get storeQueueCount(): number {
    return this.#store.queuedCount;
  }

  close(): void {
    this.#ended.abort();
    this.#store.close();
  }
}

/** Whether signs of life still come: when they do not for longer than the root allows, what is kept may not be served any more. */
class PushLiveness {
  readonly #trust: PushTrust;
  #lastMs = performance.now();

  constructor(trust: PushTrust) {
    this.#trust = trust;
  }

  note(): void {
    this.#lastMs = performance.now();
  }

  get isStale(): boolean {
    const { root } = this.#trust;
    return root?.onStale === "deny" && performance.now() - this.#lastMs > root.maxFreshSec * 1000;
  }
}

export function isUnwrapping({ mode }: Pick<ProxyConfig, "mode">): boolean {
  return mode === "unwrap" || mode === "wrap+unwrap";
}
