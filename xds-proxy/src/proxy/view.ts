/** What the proxy shows of itself: to the admin pages, to metrics, to `wpgate status --proxy`. Read when somebody asks. */
import type { ProxyMode } from "../config/proxy-config.ts";
import type { Protocol } from "../xds/type-url.ts";

export interface ProxyView {
  readonly mode: ProxyMode;
  streams(): readonly StreamView[];
  /** What a node was last given and has accepted, also after its stream has ended; undefined when nothing is known of it. */
  resources(nodeId: string): readonly TypeResources[] | undefined;
  /** The namespaces whose trust is kept here. */
  namespaces(): readonly NamespaceView[];
  readiness(): Readiness;
  /** Resources that wait to be written to the disk. */
  storeQueueCount(): number;
}

export interface Readiness {
  readonly ready: boolean;
  /** For people: what it waits for, or `ready`. */
  readonly reason: string;
}

export interface StreamView {
  /** Unique while the process lives. */
  readonly id: string;
  /** `""` until the node has said its id. */
  readonly nodeId: string;
  readonly namespace: string;
  /** As in `Peer`. */
  readonly peer: string;
  readonly protocol: Protocol;
  readonly mode: ProxyMode;
  readonly openedMs: number;
  readonly lastActivityMs: number;
  readonly upstream: UpstreamView;
  /** In the order of ADS. */
  readonly types: readonly TypeView[];
}

export interface UpstreamView {
  /** `none`: the node is served from what is kept; `waiting`: until the next attempt. */
  readonly state: "connecting" | "connected" | "waiting" | "none";
  readonly sinceMs: number;
  readonly lastMessageMs?: number;
  /** Why it is not connected. */
  readonly reason?: string;
}

export interface TypeView {
  readonly typeUrl: string;
  /** `LDS`, or the type URL. */
  readonly short: string;
  readonly subscribed: number | "*";
  /** The last version that the node has accepted. */
  readonly version: string;
  /** Responses that were sent and are not answered. */
  readonly pendingCount: number;
  /** Resources in what the node has accepted. */
  readonly acceptedCount: number;
  /** Names for which what the control plane says now was refused; absent when there are none. */
  readonly refusedCount?: number;
  readonly lastRefusal?: RefusalView;
}

export interface RefusalView {
  /** A code of proto/codes.json, a clause of the Guard, or `NACK` of the node. */
  readonly code: string;
  /** `""` when the response as a whole is meant. */
  readonly resource: string;
  readonly reason: string;
  readonly atMs: number;
}

export interface TypeResources {
  readonly typeUrl: string;
  readonly short: string;
  readonly version: string;
  readonly resources: readonly ResourceView[];
}

export interface ResourceView {
  readonly name: string;
  readonly version: string;
  /** Hex SHA-256 of the encoded message. */
  readonly sha256: string;
  readonly lengthBytes: number;
}

export interface NamespaceView {
  readonly namespace: string;
  /** Absent while nothing was verified. */
  readonly rootEp?: number;
  readonly setVer?: string;
  /** When the first of root, set and fresh runs out, seconds since 1970. */
  readonly expSec?: number;
  readonly lastRefusal?: RefusalView;
}

/** The body of `/debug/streams`. */
export interface StreamsAnswer {
  readonly mode: ProxyMode;
  readonly nowMs: number;
  readonly readiness: Readiness;
  readonly namespaces: readonly NamespaceView[];
  readonly streams: readonly StreamView[];
}
