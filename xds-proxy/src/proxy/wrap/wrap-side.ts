/** The side beside istiod: what it sends to a node that has shown who it is becomes signed pushes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProxyConfig, WrapConfig } from "../../config/proxy-config.ts";
import type { RecipientPublic } from "../../envelope/types.ts";
import { ConfigError, InternalError, UpstreamError } from "../../errors.ts";
import type { Workload } from "../../identity/types.ts";
import { parseRecipientFile } from "../../owner/recipient.ts";
import { isSessionId } from "../../push/session-id.ts";
import type { ConnectUpstream, Peer } from "../../grpc/ads-stream.ts";
import { LOG_EVENTS } from "../../log.ts";
import type { ProxyMetrics } from "../metrics.ts";
import type { ProxyOptions } from "../running-proxy.ts";
import type { Arrival } from "../sessions.ts";
import { readPushKey, WrapRoots } from "./wrap-roots.ts";
import { WrapSession, type WrapContext } from "./wrap-session.ts";

export interface WrapSideOptions extends ProxyOptions {
  readonly config: ProxyConfig;
  readonly metrics: ProxyMetrics;
  readonly connect: ConnectUpstream;
}

/** How often the file with the roots is looked at. */
const ROOTS_POLL_MS = 5_000;

export class WrapSide {
  readonly #options: WrapSideOptions;
  readonly #wrap: WrapConfig;
  readonly #context: WrapContext;
  readonly #poll: NodeJS.Timeout;

  /** @throws ConfigError */
  constructor(options: WrapSideOptions) {
    const { config, log, metrics, nowMs } = options;
    const { wrap, mode } = config;
    if (wrap === undefined) throw new InternalError("a configuration without wrap got here");
    const roots = new WrapRoots(wrap, nowMs);
    this.#options = options;
    this.#wrap = wrap;
    const { contact, heartbeatSec } = wrap;
    this.#context = {
      ...{ mode, roots, log, metrics, nowMs },
      signing: { signer: readPushKey(wrap), contact, heartbeatSec },
    };
    this.#poll = setInterval(() => {
      this.#refresh(roots);
    }, ROOTS_POLL_MS);
  }

  get trustDomain(): string {
    return this.#context.roots.current.root.trustDomain;
  }

  serve({ id, node, first, stream, workload }: Arrival): WrapSession {
    const sid = stream.peer.session ?? "";
    if (!isSessionId(sid))
      throw new UpstreamError(
        "PROTOCOL",
        "no session nonce came with the stream: only wpgate proxy --unwrap can connect here",
      );
    const account = workload?.serviceAccount ?? node.identity?.serviceAccount;
    const recipient = account === undefined ? undefined : this.#recipientOf(`${node.namespace}.${account}`);
    if (this.#wrap.recipients !== undefined && recipient === undefined)
      throw new UpstreamError(
        "PROTOCOL",
        `there is no recipient key of ${node.namespace}/${account ?? "?"} to seal for`,
      );
    const metadata = this.#identityOf(stream.peer, workload);
    return new WrapSession(
      { id, node, first, stream, sid, recipient, metadata, connect: this.#options.connect },
      this.#context,
    );
  }

  close(): void {
    clearInterval(this.#poll);
  }

  /** The node's own, never a shared one. */
  #identityOf({ bearer }: Peer, workload: Workload | undefined): Readonly<Record<string, string>> {
    switch (this.#options.config.identity.upstream) {
      case "token":
        if (bearer === undefined) throw new UpstreamError("PROTOCOL", "the node brings no token to show to istiod");
        return { authorization: `Bearer ${bearer}` };
      case "xfcc":
        if (workload === undefined)
          throw new UpstreamError("PROTOCOL", "the node has not shown who it is, so that istiod could be told");
        return { "x-forwarded-client-cert": `URI=${this.#spiffeIdOf(workload)}` };
      case "none":
        return {};
    }
  }

  /** Made of what was verified: a name out of a certificate may hold what the header's syntax uses. */
  #spiffeIdOf({ namespace, serviceAccount }: Workload): string {
    return `spiffe://${this.trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
  }

  #recipientOf(name: string): RecipientPublic | undefined {
    if (this.#wrap.recipients === undefined) return undefined;
    const path = join(this.#wrap.recipients, `${name}.recipient.json`);
    return existsSync(path) ? parseRecipientFile(readFileSync(path, "utf8")) : undefined;
  }

  #refresh(roots: WrapRoots): void {
    const { log } = this.#options;
    try {
      if (roots.refresh()) log.info(LOG_EVENTS.trustAdvanced, { rootEp: roots.current.root.ep });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      log.error(LOG_EVENTS.trustStale, { reason: error.message });
    }
  }
}
