/**
 * Whether a node is who it says. A wrapping proxy signs for the node that is named in the stream, and asks upstream in its name;
 * so a node id counts only with credentials for the same namespace and service account.
 */
import type { TokenVerifier } from "./jwt.ts";
import { parseSpiffeId } from "./spiffe.ts";
import { refused } from "./types.ts";
import type { IdentityRefusal, NodeIdentity, Workload } from "./types.ts";

/** Of a stream's `Peer`, what identifies it. */
export interface Credentials {
  /** URI names of a client certificate that the transport has verified; empty without one. */
  readonly spiffeIds: readonly string[];
  /** A bearer token as it came. */
  readonly bearer?: string | undefined;
}

export interface Requirement {
  /** That of the pin, and its aliases. */
  readonly trustDomains: readonly string[];
  /** Only nodes of this namespace. */
  readonly namespace?: string | undefined;
  /** Whether a client certificate is a credential. */
  readonly mtls: boolean;
  /** What judges tokens, where they are a credential. */
  readonly tokens?: TokenVerifier | undefined;
}

/** `workload` is absent where nothing is required: then the node is believed as far as its socket is. */
export type Authentication = { readonly ok: true; readonly workload: Workload | undefined } | IdentityRefusal;

/** Each credential that is required by kind and there counts: the node has to agree with all of them, and at least one has to be there. */
export async function authenticate(
  peer: Credentials,
  node: NodeIdentity,
  requirement: Requirement,
): Promise<Authentication> {
  const { namespace, mtls, tokens } = requirement;
  if (namespace !== undefined && node.namespace !== namespace) {
    return refused("NAMESPACE", `a node of namespace ${node.namespace} where only those of ${namespace} are served`);
  }
  if (!mtls && tokens === undefined) return { ok: true, workload: undefined };
  const proofs: Proof[] = [];
  if (mtls && peer.spiffeIds.length > 0) {
    proofs.push({ by: "its certificate", verdict: certificateVerdict(peer.spiffeIds, requirement.trustDomains) });
  }
  if (tokens && peer.bearer !== undefined) {
    proofs.push({ by: "its token", verdict: await tokens.verify(peer.bearer) });
  }
  let workload: Workload | undefined;
  for (const { by, verdict } of proofs) {
    if (!verdict.ok) return verdict;
    const fault = disagreement(node, verdict, by);
    if (fault) return fault;
    workload = { namespace: verdict.namespace, serviceAccount: verdict.serviceAccount };
  }
  return workload ? { ok: true, workload } : refused("CREDENTIALS", `no ${wantedOf(requirement)} came with the stream`);
}

/** What one credential says, and how people call it. */
interface Proof {
  readonly by: string;
  readonly verdict: ({ readonly ok: true } & Workload) | IdentityRefusal;
}

/** X509-SVID section 2: a certificate has exactly one URI name. */
function certificateVerdict(uris: readonly string[], trustDomains: readonly string[]): Proof["verdict"] {
  const [uri = "", ...others] = uris;
  if (others.length > 0) return refused("CREDENTIALS", "the certificate has more than one URI name");
  const id = parseSpiffeId(uri);
  if (id === undefined) return refused("CREDENTIALS", "the certificate's URI name is no workload's SPIFFE id");
  const { trustDomain, namespace, serviceAccount } = id;
  if (trustDomains.includes(trustDomain)) return { ok: true, namespace, serviceAccount };
  const wanted = trustDomains.join(" or ");
  return refused("TRUST_DOMAIN", `a certificate of trust domain ${trustDomain} where ${wanted} is pinned`);
}

function disagreement(node: NodeIdentity, proven: Workload, by: string): IdentityRefusal | undefined {
  const { namespace, serviceAccount } = proven;
  if (node.namespace !== namespace) {
    return refused("NAMESPACE", `a node of namespace ${node.namespace}, by ${by} of namespace ${namespace}`);
  }
  if (node.serviceAccount !== undefined && node.serviceAccount !== serviceAccount) {
    const claimed = `${node.namespace}/${node.serviceAccount}`;
    return refused(
      "SERVICE_ACCOUNT",
      `a node of service account ${claimed}, by ${by} of ${namespace}/${serviceAccount}`,
    );
  }
  return undefined;
}

function wantedOf({ mtls, tokens }: Requirement): string {
  return [...(mtls ? ["client certificate"] : []), ...(tokens ? ["token"] : [])].join(" or ");
}
