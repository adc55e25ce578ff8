/** Vocabulary of identities: who a node says it is, who the transport and tokens say it is, and why the two do not agree. */

/** The kinds of Istio's data planes that speak ADS for an Envoy. */
export const NODE_TYPES = ["sidecar", "router", "waypoint"] as const;
export type NodeType = (typeof NODE_TYPES)[number];

/** Who a node says it is, in one form and without contradiction. */
export interface NodeIdentity {
  /** The whole node id, printable ASCII. */
  readonly id: string;
  readonly type: NodeType;
  readonly namespace: string;
  /** Absent where the node does not say; then only its credentials do. */
  readonly serviceAccount: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** A Kubernetes service account. */
export interface Workload {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** `NODE` what the node says is malformed; `CREDENTIALS` there are none that count, or they are not good; `KEYS` nothing to check a token with;
 *  the others name what differs. */
export type IdentityCode = "NODE" | "CREDENTIALS" | "KEYS" | "TRUST_DOMAIN" | "NAMESPACE" | "SERVICE_ACCOUNT";

export interface IdentityRefusal {
  readonly ok: false;
  readonly code: IdentityCode;
  /** For people; names both sides where two differ. */
  readonly reason: string;
}

export function refused(code: IdentityCode, reason: string): IdentityRefusal {
  return { ok: false, code, reason };
}
