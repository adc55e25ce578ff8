/** How the changes of a WasmPlugin look on a terminal. */
import type { FieldChange } from "../kubernetes/changed-fields.ts";
import type { NamespaceChange, PluginChanges } from "../kubernetes/plugin-changes.ts";
import type { BundleSummary } from "../owner/bundle-summary.ts";
import { comparisonLines } from "./comparison-text.ts";
import { printable, type Paint } from "./ui.ts";
import { versionText } from "./version-text.ts";

export function changesLines({ fields, namespaces }: PluginChanges, paint: Paint): readonly string[] {
  return [
    ...fields.flatMap((field) => fieldLines(field, paint)),
    ...namespaces.flatMap((change) => namespaceLines(change, paint)),
  ];
}

function fieldLines({ path, before, after }: FieldChange, paint: Paint): readonly string[] {
  const value = (field: unknown): string => printable(typeof field === "string" ? field : JSON.stringify(field));
  return [
    ...(before === undefined ? [] : [paint("red", `- ${printable(path)}: ${value(before)}`)]),
    ...(after === undefined ? [] : [paint("green", `+ ${printable(path)}: ${value(after)}`)]),
  ];
}

const MARKS = { added: "+", removed: "-", changed: "~", renewed: "=" } as const;

function namespaceLines({ ns, kind, before, after, comparison }: NamespaceChange, paint: Paint): readonly string[] {
  const versions = [before, after].map((summary) => (summary === undefined ? undefined : summaryText(summary)));
  const [old, next] = versions.filter((text, index) => text !== undefined && (index === 1 || text !== versions[1]));
  const what = kind === "renewed" ? "the same policies, signed again: " : "";
  const title = `${MARKS[kind]} namespace ${printable(ns)}: ${what}${[old, next].filter((text) => text !== undefined).join(" → ")}`;
  return [paint("bold", title), ...comparisonLines(comparison, paint).map((line) => `  ${line}`)];
}

function summaryText({ root, set, fresh }: BundleSummary): string {
  const confirmed = fresh !== undefined && set !== undefined && fresh.ver !== set.ver ? `, fresh ${fresh.ver}` : "";
  return `root ${root.ep}, set ${set === undefined ? "none" : versionText(set.ver)}${confirmed}`;
}
