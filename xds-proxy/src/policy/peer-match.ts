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
  /** The local one and its aliases. */
  readonly trustDomains: readonly string[];
}

/** The test for a value of a field that looks at the peer; undefined for other fields. */
export function peerTest(field: Field, value: string, context: PeerContext): TextTest | undefined {
  switch (field) {
    case "principal":
      return anyTest(expandPrincipal(value, context.trustDomains).map(principalTest));
    case "namespace":
      return lineTest(`.*/ns/${value.split("*").map(quoteRegex).join(".*")}/.*`);
    case "serviceAccount":
      return lineTest(serviceAccountRegex(value, context.namespace));
    case "trustDomain":
      return anyTest(expandTrustDomain(value, context.trustDomains).map(trustDomainTest));
    default:
      return undefined;
  }
}

function anyTest(tests: readonly TextTest[]): TextTest {
  return (name) => tests.some((test) => test(name));
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
 * The principals that istiod makes of one: when its trust domain is one of the given ones, a pattern at either end that fits
 * one, or `cluster.local`, then the same in each of them. A pattern `*end` stays in the place of those that it fits. What is
 * not `domain/ns/namespace/sa/account`, or has the domain `*`, stays as it is.
 */
export function expandPrincipal(principal: string, trustDomains: readonly string[]): readonly string[] {
  const [domain = "", ...rest] = principal.split("/");
  if (rest.length !== 4 || domain === "*") return [principal];
  const fitsEnd = (name: string): boolean => domain.startsWith("*") && name.endsWith(domain.slice(1));
  const fitsBeginning = (name: string): boolean => domain.endsWith("*") && name.startsWith(domain.slice(0, -1));
  const isMeant =
    domain === "cluster.local" || trustDomains.some((name) => name === domain || fitsEnd(name) || fitsBeginning(name));
  if (!isMeant) return [principal];
  return [...new Set(trustDomains.map((name) => (fitsEnd(name) ? principal : [name, ...rest].join("/"))))];
}

/** One of the given trust domains means all of them; a pattern means what it fits. */
export function expandTrustDomain(value: string, trustDomains: readonly string[]): readonly string[] {
  return trustDomains.includes(value) ? trustDomains : [value];
}
