/**
 * Tests on the name in the client's certificate, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, as the
 * regular expressions that istiod hands to Envoy.
 */
import { isLine } from "./octets.ts";
import { quoteRegex, regexTest, textTest, type TextTest } from "./text-match.ts";
import type { Field } from "./types.ts";

export interface PeerContext {
  /** Namespace of the policy. */
  readonly namespace: string;
  readonly trustDomain: string;
}

/** The test for a value of a field that looks at the peer; undefined for other fields. */
export function peerTest(field: Field, value: string, context: PeerContext): TextTest | undefined {
  switch (field) {
    case "principal":
      return principalTest(migratePrincipal(value, context.trustDomain));
    case "namespace":
      return lineTest(`.*/ns/${value.split("*").map(quoteRegex).join(".*")}/.*`);
    case "serviceAccount":
      return lineTest(serviceAccountRegex(value, context.namespace));
    case "trustDomain":
      return trustDomainTest(value);
    default:
      return undefined;
  }
}

function lineTest(regex: string): TextTest {
  const matches = regexTest(regex);
  return (name) => isLine(name) && matches(name);
}

function principalTest(value: string): TextTest {
  if (value === "*") return isLine;
  if (value.startsWith("*")) return lineTest(`spiffe://.*${quoteRegex(value.slice(1))}`);
  return textTest(`spiffe://${value}`, isLine);
}

function serviceAccountRegex(value: string, ownNamespace: string): string {
  const [account = "", namespace = ownNamespace] = value.split("/").reverse();
  return `spiffe://.+/ns/${quoteRegex(namespace)}/(?:.+/|)sa/${quoteRegex(account)}(?:/.+)?`;
}

function trustDomainTest(value: string): TextTest {
  if (value === "*") return (name) => name.startsWith("spiffe://");
  if (!value.includes("*")) return textTest(`spiffe://${value}/*`, isLine);
  return lineTest(`spiffe://${value.split("*").map(quoteRegex).join("[^/]*")}/.*`);
}

/**
 * `cluster.local`, the local trust domain, and a wildcard at the end of its beginning become the local trust domain, as in
 * istiod; a principal that is not `domain/ns/namespace/sa/account` stays as it is.
 */
export function migratePrincipal(principal: string, local: string): string {
  const [domain = "", ...rest] = principal.split("/");
  if (rest.length !== 4 || domain === "*") return principal;
  if (domain.startsWith("*") && local.endsWith(domain.slice(1))) return principal;
  const isLocal =
    domain === local || domain === "cluster.local" || (domain.endsWith("*") && local.startsWith(domain.slice(0, -1)));
  return isLocal ? [local, ...rest].join("/") : principal;
}
