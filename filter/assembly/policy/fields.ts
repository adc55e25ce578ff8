// Which members an AuthorizationPolicy may have and what they look at (Istio API security.istio.io/v1).
import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";
import { Field } from "./policy";

@final
export class FieldName {
  constructor(
    readonly name: string,
    readonly notName: string,
    readonly field: Field,
  ) {}
}

export const SOURCE_FIELDS: FieldName[] = [
  new FieldName("principals", "notPrincipals", Field.Principal),
  new FieldName("requestPrincipals", "notRequestPrincipals", Field.RequestPrincipal),
  new FieldName("namespaces", "notNamespaces", Field.Namespace),
  new FieldName("serviceAccounts", "notServiceAccounts", Field.ServiceAccount),
  new FieldName("trustDomains", "notTrustDomains", Field.TrustDomain),
  new FieldName("remoteIpBlocks", "notRemoteIpBlocks", Field.RemoteIp),
];

export const OPERATION_FIELDS: FieldName[] = [
  new FieldName("hosts", "notHosts", Field.Host),
  new FieldName("ports", "notPorts", Field.Port),
  new FieldName("methods", "notMethods", Field.Method),
  new FieldName("paths", "notPaths", Field.Path),
];

@final
export class WhenKey {
  constructor(
    readonly key: string,
    readonly field: Field,
  ) {}
}

/** Keys without brackets. */
export const WHEN_KEYS: WhenKey[] = [
  new WhenKey("source.principal", Field.Principal),
  new WhenKey("source.namespace", Field.Namespace),
  new WhenKey("source.serviceAccount", Field.ServiceAccount),
  new WhenKey("source.trustDomain", Field.TrustDomain),
  new WhenKey("remote.ip", Field.RemoteIp),
  new WhenKey("request.auth.principal", Field.RequestPrincipal),
  new WhenKey("request.auth.audiences", Field.Audience),
  new WhenKey("request.auth.presenter", Field.Presenter),
  new WhenKey("destination.ip", Field.DestinationIp),
  new WhenKey("destination.port", Field.Port),
  new WhenKey("connection.sni", Field.Sni),
];

/** Members of Istio's API that the filter cannot enforce: docs/policy.md says why. */
export const UNSUPPORTED_SPEC: string[] = ["targetRef", "targetRefs", "provider"];
export const UNSUPPORTED_SOURCE: string[] = ["ipBlocks", "notIpBlocks"];
export const UNSUPPORTED_KEY = "source.ip";
export const UNSUPPORTED_KEY_PREFIX = "experimental.";

export function isOneOf(name: View, names: string[]): bool {
  for (let i = 0; i < names.length; i++) if (equalsAscii(name, names[i])) return true;
  return false;
}
