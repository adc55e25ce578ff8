/** Which members an AuthorizationPolicy has (security.istio.io/v1), what they look at, and what cannot be enforced. */
import type { Field } from "./types.ts";

export interface FieldRow {
  readonly field: Field;
  readonly negated: boolean;
}

const yes = (field: Field): FieldRow => ({ field, negated: false });
const no = (field: Field): FieldRow => ({ field, negated: true });

export const SOURCE_FIELDS: ReadonlyMap<string, FieldRow> = new Map([
  ["principals", yes("principal")],
  ["notPrincipals", no("principal")],
  ["requestPrincipals", yes("requestPrincipal")],
  ["notRequestPrincipals", no("requestPrincipal")],
  ["namespaces", yes("namespace")],
  ["notNamespaces", no("namespace")],
  ["serviceAccounts", yes("serviceAccount")],
  ["notServiceAccounts", no("serviceAccount")],
  ["trustDomains", yes("trustDomain")],
  ["notTrustDomains", no("trustDomain")],
  ["remoteIpBlocks", yes("remoteIp")],
  ["notRemoteIpBlocks", no("remoteIp")],
]);

export const OPERATION_FIELDS: ReadonlyMap<string, FieldRow> = new Map([
  ["hosts", yes("host")],
  ["notHosts", no("host")],
  ["ports", yes("port")],
  ["notPorts", no("port")],
  ["methods", yes("method")],
  ["notMethods", no("method")],
  ["paths", yes("path")],
  ["notPaths", no("path")],
]);

const WHEN_KEYS: ReadonlyMap<string, Field> = new Map([
  ["source.principal", "principal"],
  ["source.namespace", "namespace"],
  ["source.serviceAccount", "serviceAccount"],
  ["source.trustDomain", "trustDomain"],
  ["remote.ip", "remoteIp"],
  ["request.auth.principal", "requestPrincipal"],
  ["request.auth.audiences", "audience"],
  ["request.auth.presenter", "presenter"],
  ["destination.ip", "destinationIp"],
  ["destination.port", "port"],
  ["connection.sni", "sni"],
]);

const PEER_ADDRESS = "the address of the direct peer cannot be had in Wasm; use remoteIpBlocks or remote.ip";

export const UNSUPPORTED_SPEC: ReadonlyMap<string, string> = new Map([
  ["targetRef", "attaches to objects that only the control plane knows; use selector"],
  ["targetRefs", "attaches to objects that only the control plane knows; use selector"],
  ["provider", "belongs to CUSTOM, which calls a service that the control plane names"],
]);
export const UNSUPPORTED_SOURCE: ReadonlyMap<string, string> = new Map([
  ["ipBlocks", PEER_ADDRESS],
  ["notIpBlocks", PEER_ADDRESS],
]);

const HEADER = /^request\.headers\[(:?[-!#$%&'*+.^_`|~0-9A-Za-z]+)\]$/;
const CLAIM = /^request\.auth\.claims((?:\[[^[\]]+\])+)$/;

export type WhenKey =
  | { readonly field: Field; readonly names: readonly string[] }
  | { readonly field: undefined; readonly unsupported: boolean; readonly message: string };

/** What the `key` of a `when` looks at. */
export function whenKey(key: string): WhenKey {
  const field = WHEN_KEYS.get(key);
  if (field !== undefined) return { field, names: [] };
  const header = HEADER.exec(key)?.[1];
  if (header !== undefined) return { field: "header", names: [header] };
  const claims = CLAIM.exec(key)?.[1];
  if (claims !== undefined) return { field: "claim", names: claims.slice(1, -1).split("][") };
  if (key === "source.ip") return { field: undefined, unsupported: true, message: PEER_ADDRESS };
  if (key.startsWith("experimental."))
    return { field: undefined, unsupported: true, message: "reads metadata of arbitrary filters" };
  return { field: undefined, unsupported: false, message: `${key} is not an attribute of a request` };
}
