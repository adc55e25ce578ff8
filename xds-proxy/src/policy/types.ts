/** What the policy evaluation is asked and what it answers. */

/** The workload that policies are evaluated for. */
export interface PolicyNode {
  readonly namespace: string;
  readonly rootNamespace: string;
  readonly trustDomain: string;
  /** Other names of the trust domain. */
  readonly trustDomainAliases?: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the owner asks for more than Istio does. */
export interface PolicyKnobs {
  readonly default: "deny" | "istio";
  readonly paths: "strict" | "istio";
}

/**
 * One request. Texts are octet strings, one character for each byte, as `node:http` has them; `octets` makes one of a
 * Unicode text.
 */
export interface PolicyRequest {
  /** `:path` with its query. */
  readonly path?: string | undefined;
  readonly method?: string | undefined;
  /** `:authority`, with its port if it has one. */
  readonly host?: string | undefined;
  /** `ip:port` or `[ip]:port` after X-Forwarded-For; the port may be missing. */
  readonly remoteAddress?: string | undefined;
  readonly destinationAddress?: string | undefined;
  /** First URI name of the client's certificate: its SPIFFE id. */
  readonly peerUri?: string | undefined;
  readonly peerDns?: string | undefined;
  readonly peerSubject?: string | undefined;
  readonly sni?: string | undefined;
  /** Every header as it was sent, names in lower case. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Payload of the verified JWT; its strings are Unicode texts. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
}

export type DecisionReason = "allow-rule" | "no-policy" | "deny-rule" | "no-rule" | "default-deny" | "ambiguous-path";

export interface PolicyDecision {
  readonly allow: boolean;
  /** Status of the answer to a request that is not allowed; 200 for one that is. */
  readonly status: 200 | 400 | 403;
  readonly reason: DecisionReason;
  /** The rule that decided, under Istio's name for it, `ns[team-a]-policy[name]-rule[0]`; empty where none did. */
  readonly rule: string;
  readonly audited: boolean;
  /** What the dry-run policies alone would have said. */
  readonly shadow: "none" | "allowed" | "denied";
  readonly shadowRule: string;
}

export type PolicyAction = "ALLOW" | "DENY" | "AUDIT";

/** How one rule looks at one request. */
export interface RuleTrace {
  readonly rule: string;
  readonly action: PolicyAction;
  readonly dryRun: boolean;
  readonly matches: boolean;
  /** JSON paths of the conditions that did not hold, in the policy of the rule. */
  readonly unmet: readonly string[];
}

export interface PolicyExplanation {
  readonly decision: PolicyDecision;
  /** Names of the policies that do not apply to this workload, `namespace/name`. */
  readonly notForThisWorkload: readonly string[];
  readonly rules: readonly RuleTrace[];
}

/** What an AuthorizationPolicy's members look at. */
export type Field =
  | "principal"
  | "requestPrincipal"
  | "namespace"
  | "serviceAccount"
  | "trustDomain"
  | "remoteIp"
  | "host"
  | "port"
  | "method"
  | "path"
  | "header"
  | "audience"
  | "presenter"
  | "claim"
  | "destinationIp"
  | "sni";

/** Holds when one of `values` matches (or there are none) and none of `notValues` does. */
export interface Condition {
  readonly field: Field;
  /** The header's name, or the names that lead to the claim. */
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly notValues: readonly string[];
  /** JSON path in the policy. */
  readonly where: string;
}

export interface PolicyRule {
  readonly sources: readonly (readonly Condition[])[];
  readonly operations: readonly (readonly Condition[])[];
  readonly when: readonly Condition[];
}

/** A validated AuthorizationPolicy. */
export interface AuthorizationPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly action: PolicyAction;
  readonly dryRun: boolean;
  readonly selector: ReadonlyMap<string, string>;
  readonly rules: readonly PolicyRule[];
}

export interface PolicyFault {
  readonly code: "PAYLOAD" | "UNSUPPORTED";
  /** JSON path; empty for the whole document. */
  readonly where: string;
  readonly message: string;
}

export type ParsedPolicy =
  | { readonly policy: AuthorizationPolicy; readonly faults: readonly [] }
  | { readonly policy: undefined; readonly faults: readonly [PolicyFault, ...PolicyFault[]] };
