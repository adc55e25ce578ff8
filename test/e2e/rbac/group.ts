import type { CertificateNames } from "../../scenarios/certificates.ts";
import type { NativeRules } from "./native.ts";

/** An AuthorizationPolicy without what all of them share. */
export interface PolicySpec {
  readonly name: string;
  /** In the root namespace instead of the workload's. */
  readonly root?: boolean;
  readonly dryRun?: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface Row {
  /** `METHOD target`, sent byte for byte (one byte for each character). */
  readonly line: string;
  /** `app.example` when absent; null sends none. */
  readonly host?: string | null;
  /** In this order, as they are. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Where the connection says that it comes from and goes to (PROXY protocol). */
  readonly from?: string;
  readonly to?: string;
  /** Payload of a JWT that the listener's JWT filter verifies. */
  readonly jwt?: Readonly<Record<string, unknown>>;
  /** TLS with this client certificate, or with none. */
  readonly client?: CertificateNames | "none";
  readonly sni?: string;
  /** What the dry-run policies must have said, where there are some. */
  readonly shadow?: "allowed" | "denied";
}

export type TrustDomains = readonly [local: string, ...aliases: readonly string[]];

/** Policies, the RBAC configuration that is to say the same, and requests with the expected outcome. */
export interface Group {
  readonly title: string;
  readonly policies: readonly PolicySpec[];
  readonly native: NativeRules;
  readonly allowed: readonly Row[];
  readonly denied: readonly Row[];
  /** The mesh's trust domain and its aliases. */
  readonly trustDomains?: TrustDomains;
  /** Envoy's own normalisation of paths, as Istio has it on by default. */
  readonly normalize?: boolean;
}

type Extra = Omit<Row, "line">;

/** Rows that differ in their request line only. */
export const lines = (texts: readonly string[], extra: Extra = {}): readonly Row[] =>
  texts.map((line) => ({ line, ...extra }));
/** Rows that differ in all but their request line. */
export const variants = (...extras: readonly Extra[]): readonly Row[] =>
  extras.map((extra) => ({ line: "GET /", ...extra }));

export const allow = (...rules: readonly unknown[]): PolicySpec => ({
  name: "allow",
  spec: { action: "ALLOW", rules },
});
export const deny = (...rules: readonly unknown[]): PolicySpec => ({ name: "deny", spec: { action: "DENY", rules } });

/** Rules with one part. */
export const to = (...operations: readonly object[]): object => ({
  to: operations.map((operation) => ({ operation })),
});
export const from = (...sources: readonly object[]): object => ({ from: sources.map((source) => ({ source })) });
export const when = (key: string, values: readonly string[], notValues?: readonly string[]): object => ({
  when: [{ key, values, ...(notValues && { notValues }) }],
});
export const whenNot = (key: string, notValues: readonly string[]): object => ({ when: [{ key, notValues }] });
