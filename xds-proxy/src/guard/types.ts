/** The owner's Guard: what generated configuration must keep, whoever generates it (docs/guard.md). */
import type { Clause } from "./clauses.ts";

export interface Guard {
  readonly namespace: string;
  readonly name: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly ports: readonly GuardedPort[];
  readonly filter: GuardedFilter;
  readonly belt: boolean;
  /** Code beside the filter that may run; by name, and by the digest of its configuration. */
  readonly code: readonly AllowedCode[];
  readonly jwt: readonly AllowedIssuer[];
  readonly http: HttpOptions;
  readonly routes: RouteOptions;
}

export type TlsLevel = "none" | "simple" | "mutual";

export interface GuardedPort {
  readonly port: number;
  /** Whether a chain may hand on bytes that no HTTP filter sees. */
  readonly tcp: "refuse" | "allow";
  /** What every chain that serves the port does at least. */
  readonly tls: TlsLevel;
  /** Names of the secrets that may say which client certificates are good; only the bootstrap's own agent may serve them. */
  readonly clientCa: readonly string[];
}

export type FailurePolicyName = "FAIL_RELOAD" | "FAIL_CLOSED";

export interface GuardedFilter {
  /** Name of the extension configuration, which is the name of the HTTP filter, too. */
  readonly extension: string;
  readonly rootId: string;
  /** Lower case hex: of modules, or of images where the module comes from a registry. */
  readonly sha256: readonly string[];
  readonly environment: { readonly hostKeys: readonly string[]; readonly values: ReadonlyMap<string, string> };
  readonly failurePolicy: readonly FailurePolicyName[];
}

export interface AllowedCode {
  /** Of the filter, the access logger or the extension. */
  readonly name: string;
  readonly typeUrl: string | undefined;
  /** Lower case hex, of the bytes of the configuration's value. */
  readonly sha256: readonly string[];
}

export interface AllowedIssuer {
  readonly issuer: string;
  /** Lower case hex, of the inline JWKS. */
  readonly jwksSha256: readonly string[];
  readonly jwksUri: readonly string[];
  /** Exactly these, in any order; not looked at when absent. */
  readonly audiences: readonly string[] | undefined;
  /** Headers that claims may be written to, before the filter sees the request. */
  readonly outputHeaders: readonly string[];
}

/** What is absent may have any value. */
export interface HttpOptions {
  readonly normalizePath?: boolean;
  readonly mergeSlashes?: boolean;
  readonly pathWithEscapedSlashesAction?: EscapedSlashes;
  readonly useRemoteAddress?: boolean;
  readonly xffNumTrustedHops?: number;
  readonly forwardClientCertDetails?: ForwardClientCert;
}

/** The names of Envoy's enums, in the order of their numbers. */
export const ESCAPED_SLASHES = [
  "IMPLEMENTATION_SPECIFIC_DEFAULT",
  "KEEP_UNCHANGED",
  "REJECT_REQUEST",
  "UNESCAPE_AND_REDIRECT",
  "UNESCAPE_AND_FORWARD",
] as const;
export type EscapedSlashes = (typeof ESCAPED_SLASHES)[number];
export const FORWARD_CLIENT_CERT = [
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
] as const;
export type ForwardClientCert = (typeof FORWARD_CLIENT_CERT)[number];

export interface RouteOptions {
  /** Whether routes may come by RDS, where nothing says which of them serve the protected ports. */
  readonly rds: "refuse" | "allow";
  /** Whether the application may get another path, host or method than the filter has judged. */
  readonly rewrite: "refuse" | "allow";
}

export interface GuardFinding {
  readonly clause: Clause;
  /** `filter_chains[0].http_filters[2]` */
  readonly where: string;
  readonly reason: string;
}

export interface GuardFault {
  readonly code: "PAYLOAD" | "UNSUPPORTED";
  readonly where: string;
  readonly message: string;
}

export interface ParsedGuard {
  /** Absent when there is a fault. */
  readonly guard?: Guard;
  readonly faults: readonly GuardFault[];
}
