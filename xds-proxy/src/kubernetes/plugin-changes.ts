/** What an apply changes: policies in the words of policies, everything else as fields. */
import { isRecord } from "../bytes/record.ts";
import { ParseError } from "../errors.ts";
import type { NamespaceBundle, PluginConfiguration } from "../owner/bundle.ts";
import { summarize, type BundleSummary } from "../owner/bundle-summary.ts";
import { compareSnapshots, snapshotOf, type Comparison, type Snapshot } from "../owner/compare.ts";
import { changedFields, type FieldChange } from "./changed-fields.ts";
import { claimedNamespace } from "../owner/outer-fresh.ts";
import { pluginConfigOf } from "./plugin-config.ts";

export interface NamespaceChange {
  readonly ns: string;
  readonly kind: "added" | "changed" | "renewed" | "removed";
  /** Absent where there is none, or none that can be read. */
  readonly before?: BundleSummary;
  readonly after?: BundleSummary;
  readonly comparison: Comparison;
}

export interface PluginChanges {
  readonly fields: readonly FieldChange[];
  readonly namespaces: readonly NamespaceChange[];
}

/** An object and what is in it; the configuration is absent where it can not be read. */
export interface PluginState {
  readonly object: Readonly<Record<string, unknown>>;
  readonly config: PluginConfiguration | undefined;
}

export function pluginChanges(before: PluginState | undefined, after: PluginState): PluginChanges {
  const old = byNamespace(before?.config);
  const next = byNamespace(after.config);
  const names = [...new Set([...old.keys(), ...next.keys()])].sort();
  return {
    fields: changedFields(before === undefined ? {} : fieldsOf(before.object), fieldsOf(after.object)),
    namespaces: names.flatMap((ns) => namespaceChange(ns, old.get(ns), next.get(ns))),
  };
}

function byNamespace(config: PluginConfiguration | undefined): ReadonlyMap<string, NamespaceBundle> {
  return new Map((config?.sets ?? []).map((set) => [claimedNamespace(set.roots) ?? "", set]));
}

/** What people write, without the bundles; managed fields, status and the like are the server's. */
function fieldsOf(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { metadata, spec } = object;
  const { labels, annotations } = isRecord(metadata) ? metadata : {};
  const others = Object.entries(pluginConfigOf(object) ?? {}).filter(([name]) => name !== "sets" && name !== "fresh");
  const pluginConfig = Object.fromEntries(others);
  return { metadata: { labels, annotations }, spec: { ...(isRecord(spec) ? spec : {}), pluginConfig } };
}

function namespaceChange(
  ns: string,
  before: NamespaceBundle | undefined,
  after: NamespaceBundle | undefined,
): readonly NamespaceChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const comparison = compareSnapshots(snapshot(before), snapshot(after));
  const same = comparison.root.length + comparison.objects.length === 0;
  const kind = before === undefined ? "added" : after === undefined ? "removed" : same ? "renewed" : "changed";
  const summaries = { before: before && readable(before, summarize), after: after && readable(after, summarize) };
  return [
    {
      ...{ ns, kind, comparison },
      ...(summaries.before && { before: summaries.before }),
      ...(summaries.after && { after: summaries.after }),
    },
  ];
}

function snapshot(bundle: NamespaceBundle | undefined): Snapshot {
  return (bundle && readable(bundle, snapshotOf)) ?? { objects: new Map() };
}

/** What somebody else has spoilt in the cluster can still be replaced. */
function readable<T>(bundle: NamespaceBundle, read: (bundle: NamespaceBundle) => T): T | undefined {
  try {
    return read(bundle);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
