/** The ways in which a rule can match: one `source`, one `operation` and every `when`, all of which must hold. */
import { holds } from "../../../xds-proxy/src/policy/conditions.ts";
import type { AuthorizationPolicy, Condition, PolicyRequest } from "../../../xds-proxy/src/policy/types.ts";
import { asPolicyRequest } from "../../e2e/rbac/as-policy-request.ts";
import { TRUST_DOMAIN, TRUST_DOMAIN_ALIASES, type Entrances } from "./place.ts";
import type { Probe } from "./probe.ts";

export interface Branch {
  readonly policy: AuthorizationPolicy;
  readonly conditions: readonly Condition[];
}

export function branchesOf(policy: AuthorizationPolicy): readonly Branch[] {
  return policy.rules.flatMap(({ sources, operations, when }) => {
    const froms = sources.length === 0 ? [[]] : sources;
    const tos = operations.length === 0 ? [[]] : operations;
    return froms.flatMap((from) => tos.map((to) => ({ policy, conditions: [...from, ...to, ...when] })));
  });
}

/** What does not hold. Worked out beforehand, so Envoy's own normalization of paths is not in it. */
export function unmetOf({ policy, conditions }: Branch, request: PolicyRequest): readonly Condition[] {
  const { namespace } = policy;
  const context = { namespace, trustDomains: [TRUST_DOMAIN, ...TRUST_DOMAIN_ALIASES] };
  return conditions.filter((condition) => !holds(condition, request, context));
}

/** As the native side sees it. */
export function requestOf(probe: Probe, entrances: Entrances): PolicyRequest {
  const { method, path, from, entrance, client, sni, jwt, ...rest } = probe;
  const { addresses, port } = entrances[entrance];
  return asPolicyRequest({
    ...rest,
    ...{ line: `${method} ${path}`, from: `${from}:1`, to: `${addresses.native}:${port}` },
    ...(client && { client }),
    ...(sni !== undefined && { sni }),
    ...(jwt && { jwt }),
  });
}
