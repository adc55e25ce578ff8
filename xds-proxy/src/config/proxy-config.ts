/** What `wpgate proxy` is told: `docs/proxy.md` explains every member, `proxy-schema.ts` reads and checks them. */
import type { Address, TcpAddress } from "./addresses.ts";

export const PROXY_MODES = ["check", "unwrap", "wrap", "wrap+unwrap"] as const;
export type ProxyMode = (typeof PROXY_MODES)[number];

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** All paths are absolute; every member has its default where the file has none. */
export interface ProxyConfig {
  readonly mode: ProxyMode;
  /** The trust root; there in every mode but `wrap`. */
  readonly pin?: string;
  /** Only nodes of this namespace are served; all when absent. */
  readonly namespace?: string;
  readonly upstream: UpstreamConfig;
  readonly listen: readonly ListenConfig[];
  readonly identity: IdentityConfig;
  /** Folder of what has to survive a restart. */
  readonly state: string;
  /** Key file that opens what is sealed for this workload. */
  readonly recipient?: string;
  /** Absent when the file says `none`. */
  readonly admin?: TcpAddress;
  /** There in the modes that wrap. */
  readonly wrap?: WrapConfig;
  readonly unwrap: UnwrapConfig;
  readonly limits: ProxyLimits;
  /** How long a SIGTERM waits for streams to end in order. */
  readonly drainSec: number;
  readonly log: { readonly level: LogLevel };
}

export interface UpstreamConfig {
  readonly address: Address;
  /** Plaintext when absent. */
  readonly tls?: ClientTlsFiles;
  /** File with a JSON Web Token, read again for every stream. */
  readonly token?: string;
  readonly connectTimeoutSec: number;
  readonly keepalive: Keepalive;
}

/** Files in PEM. */
export interface ClientTlsFiles {
  /** Roots of the server's certificate; those of Node when absent. */
  readonly ca?: string;
  /** Own certificate and its key, both or none. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must be for, when it is not the host of the address. */
  readonly serverName?: string;
}

/** A connection on which nothing was heard for `timeSec` is asked for a sign of life and given up after `timeoutSec`. */
export interface Keepalive {
  readonly timeSec: number;
  readonly timeoutSec: number;
}

export interface ListenConfig {
  readonly address: Address;
  /** Plaintext when absent. */
  readonly tls?: ServerTlsFiles;
  /** Permissions of a Unix socket. */
  readonly socketMode: number;
}

/** Files in PEM. */
export interface ServerTlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Roots of the clients' certificates; nobody is asked for one when absent. */
  readonly clientCa?: string;
  /** Whether a client without a certificate of these roots is turned away. */
  readonly clientCert: "required" | "optional";
}

/** How a wrapping proxy learns who a node is, and what it says upstream. */
export interface IdentityConfig {
  readonly jwt?: JwtConfig;
  readonly mtls: boolean;
  readonly upstream: "token" | "xfcc" | "none";
}

export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  /** An absolute path or an `https:` URL. */
  readonly jwks: string;
}

export interface WrapConfig {
  /** Private key of role `push`. */
  readonly key: string;
  /** `bundle.json` of the root namespace, for its roots. */
  readonly bundle: string;
  /** `mailto:` or `https:`, goes into the claim `sub`. */
  readonly contact: string;
  readonly heartbeatSec: number;
  /** Folder of `NAMESPACE.SERVICEACCOUNT.recipient.json`; nothing is sealed when absent. */
  readonly recipients?: string;
}

export interface UnwrapConfig {
  /** What the wrapping proxy promises; silence for longer ends the stream. */
  readonly heartbeatSec: number;
}

export interface ProxyLimits {
  /** One response from upstream. */
  readonly messageMaxBytes: number;
  /** One request from a node. */
  readonly requestMaxBytes: number;
  /** Streams at once, over all addresses. */
  readonly streamsMaxCount: number;
  /** Resources of one type on one stream. */
  readonly resourcesMaxCount: number;
}
