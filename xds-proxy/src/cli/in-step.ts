/** Whether what an Envoy enforces is what the API server holds. */
import type { PluginStatus } from "../kubernetes/plugin-status.ts";
import type { BundleSummary } from "../owner/bundle-summary.ts";
import type { EnvoyNode, EnvoyStats, InForce } from "./envoy-stats.ts";

/**
 * `behind`: the API has a newer set. `ahead`: the API has an older one, which the filter refuses. `nothing`: nothing is in
 * force. `unknown`: the set is not among the plugins that were read.
 */
export type Step = "in step" | "behind" | "ahead" | "expired" | "nothing" | "unknown";

export interface Enforced extends InForce {
  readonly ns: string;
  readonly step: Step;
}

/** None when this Envoy has no wpgate filter. */
export function enforcedBy(
  stats: EnvoyStats,
  plugins: readonly PluginStatus[],
  rootNamespace: string,
): readonly Enforced[] {
  const { node } = stats;
  const roles = [
    { ns: node.namespace, inForce: stats.namespace },
    { ns: rootNamespace, inForce: stats.rootNamespace },
  ];
  return roles.flatMap(({ ns, inForce }) => {
    if (inForce === undefined) return [];
    const held = heldFor(node, plugins, rootNamespace).filter((summary) => summary.ns === ns);
    return [{ ns, ...inForce, step: stepOf(inForce, held) }];
  });
}

/** Sets in plugins that Istio hands to this workload: of its own namespace or the root namespace, with a selector that fits. */
function heldFor(node: EnvoyNode, plugins: readonly PluginStatus[], rootNamespace: string): readonly BundleSummary[] {
  return plugins
    .filter(({ namespace }) => namespace === node.namespace || namespace === rootNamespace)
    .filter(({ selector = {} }) => Object.entries(selector).every(([label, value]) => node.labels[label] === value))
    .flatMap(({ sets }) => sets.flatMap(({ summary }) => summary ?? []));
}

/** Gauges are numbers; versions above 2^53 are compared as closely as those can be. */
function stepOf({ setVersion, expiresInSec }: InForce, held: readonly BundleSummary[]): Step {
  const versions = held.flatMap(({ set }) => (set === undefined ? [] : [Number(set.ver)]));
  const newest = Math.max(...versions);
  if (setVersion === 0) return "nothing";
  if (versions.length > 0 && setVersion < newest) return "behind";
  if (versions.length > 0 && setVersion > newest) return "ahead";
  if (expiresInSec === 0) return "expired";
  return versions.length === 0 ? "unknown" : "in step";
}
