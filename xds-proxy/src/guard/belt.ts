/** The belt: Envoy's own RBAC filter, which refuses what does not carry the filter's mark (deploy/kubernetes/namespace/belt.yaml). */
import { create, equals } from "@bufbuild/protobuf";
import { RBAC_Action } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema, type RBAC } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";

/** The name of the HTTP filter; routes turn filters off by their names. */
export const BELT_NAME = "wpgate-belt";

const BELT: RBAC = create(RBACSchema, {
  rules: {
    action: RBAC_Action.ALLOW,
    policies: {
      "judged-by-wpgate": {
        permissions: [{ rule: { case: "any", value: true } }],
        principals: [
          {
            identifier: {
              case: "filterState",
              value: {
                key: "wasm.ok",
                matcher: { case: "stringMatch", value: { matchPattern: { case: "exact", value: "1" } } },
              },
            },
          },
        ],
      },
    },
  },
});

/** Whatever its statistics are called, and whatever its only policy is. */
export function isBelt(rbac: RBAC): boolean {
  const [policy, ...others] = Object.values(rbac.rules?.policies ?? {});
  if (policy === undefined || others.length > 0 || rbac.rules === undefined) return false;
  const renamed = { ...rbac.rules, policies: { "judged-by-wpgate": policy } };
  return equals(RBACSchema, create(RBACSchema, { ...rbac, rulesStatPrefix: "", rules: renamed }), BELT);
}
