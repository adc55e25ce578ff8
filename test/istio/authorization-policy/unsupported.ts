/** The features of Istio that are refused (docs/policy.md), each once or in each place where it can stand. */
import { allow, from, to, when, whenNot, type PolicySpec } from "../../e2e/rbac/group.ts";

export interface Unsupported {
  readonly feature: string;
  readonly policy: PolicySpec;
  /** Where `wpgate sign` points at. */
  readonly where: string;
  readonly apiVersion?: string;
}

const GET = to({ methods: ["GET"] });
const GATEWAY = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" };
const beside = (members: object): PolicySpec => ({ name: "unsupported", spec: { ...members, rules: [GET] } });

/** At most so many features may be missing. */
export const FEATURES_MAX_COUNT = 5;

export const UNSUPPORTED: readonly Unsupported[] = [
  {
    feature: "CUSTOM",
    policy: beside({ action: "CUSTOM", provider: { name: "authz" } }),
    where: "spec.action",
  },
  { feature: "CUSTOM", policy: beside({ provider: { name: "authz" } }), where: "spec.provider" },
  { feature: "targetRefs", policy: beside({ targetRefs: [GATEWAY] }), where: "spec.targetRefs" },
  { feature: "targetRefs", policy: beside({ targetRef: GATEWAY }), where: "spec.targetRef" },
  {
    feature: "address of the direct peer",
    policy: allow(from({ ipBlocks: ["10.0.0.0/8"] })),
    where: "spec.rules[0].from[0].source.ipBlocks",
  },
  {
    feature: "address of the direct peer",
    policy: allow(from({ namespaces: ["a"], notIpBlocks: ["10.0.0.1"] })),
    where: "spec.rules[0].from[0].source.notIpBlocks",
  },
  {
    feature: "address of the direct peer",
    policy: allow(when("source.ip", ["10.0.0.0/8"])),
    where: "spec.rules[0].when[0].key",
  },
  {
    feature: "metadata of other filters",
    policy: allow(whenNot("experimental.envoy.filters.network.mysql_proxy[db.table]", ["[update]"])),
    where: "spec.rules[0].when[0].key",
  },
  { feature: "the name v1beta1", policy: allow(GET), where: "apiVersion", apiVersion: "security.istio.io/v1beta1" },
];
