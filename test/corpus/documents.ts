/** Payloads of the corpus as JSON values, so that a case can break any member of one. */
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { MESH, NS, TRUST_DOMAIN } from "./forge.ts";
import type { ClaimValues } from "./forge.ts";
import { signingKey } from "./keys.ts";

export function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

/** Name of a key, then its roles. */
export type KeyRoles = readonly [name: string, ...roles: string[]];

export const KEYS: readonly KeyRoles[] = [
  ["root", "root"],
  ["cfg", "cfg"],
  ["fresh", "fresh"],
  ["push", "push"],
];

export function rootValue(changes: ClaimValues = {}, keys: readonly KeyRoles[] = KEYS): ClaimValues {
  return {
    kind: "Root",
    ...{ ns: NS, mesh: MESH, trustDomain: TRUST_DOMAIN, ep: 1, minEp: 1 },
    keys: keys.map(([name, ...roles]) => ({ k: encodeBase64Url(signingKey(name).publicKey), roles })),
    thresholds: thresholds(),
    ...{ mode: "enforce", default: "deny", paths: "strict", onStale: "keep", maxFreshSec: 86_400 },
    ...changes,
  };
}

export function thresholds(changes: Readonly<Record<string, unknown>> = {}): ClaimValues {
  return { root: 1, cfg: 1, fresh: 1, push: 1, ...changes };
}

export interface PolicyOptions {
  readonly name?: string;
  readonly ns?: string;
  readonly spec?: unknown;
}

export function policyValue({ name = "allow", ns = NS, spec = { rules: [{}] } }: PolicyOptions = {}): ClaimValues {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: ns },
    spec,
  };
}
