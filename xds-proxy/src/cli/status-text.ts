/** How `wpgate status` looks on a terminal. */
import { formatDurationSec } from "../config/duration.ts";
import { pluginCondition, type PluginStatus } from "../kubernetes/plugin-status.ts";
import type { BundleSummary } from "../owner/bundle-summary.ts";
import { conditionOf, type Condition, type SetStatus } from "../owner/set-status.ts";
import type { EnvoyStats } from "./envoy-stats.ts";
import type { Enforced, Step } from "./in-step.ts";
import { columns, printable, type Paint, type Style } from "./ui.ts";
import { timeText, versionText } from "./version-text.ts";

const CONDITIONS: Readonly<Record<Condition, Style>> = {
  ok: "green",
  warning: "yellow",
  expired: "red",
  refused: "red",
};
const DIGEST_SHOWN = 8;

export interface TextOptions {
  readonly paint: Paint;
  readonly nowSec: number;
}

export function pluginText(plugin: PluginStatus, { paint, nowSec }: TextOptions): string {
  const { namespace, name, selector, modes, url, sha256, failStrategy, fault } = plugin;
  const condition = pluginCondition(plugin);
  const labels = selector && Object.entries(selector).map(([label, value]) => `${label}=${String(value)}`);
  const facts = [
    modes.length === 0 ? "all traffic" : modes.join(", "),
    labels === undefined ? "all workloads" : labels.join(","),
    `${url}${sha256 === "" ? ", any module" : ` ${sha256.slice(0, DIGEST_SHOWN)}`}`,
    failStrategy,
  ].filter((fact) => fact !== "");
  const title = `${paint("bold", printable(`${namespace}/${name}`))}  ${paint(CONDITIONS[condition], condition)}  ${printable(facts.join(", "))}`;
  const broken = fault === undefined ? [] : [`  ${paint("red", "refused")}: ${printable(fault)}`];
  const lines = [title, ...broken, ...plugin.sets.flatMap((set) => setLines(set, { paint, nowSec }))];
  return lines.map((line) => `${line}\n`).join("");
}

function setLines({ summary, verified, findings }: SetStatus, { paint, nowSec }: TextOptions): readonly string[] {
  const condition = conditionOf(findings);
  const state = `${paint(CONDITIONS[condition], condition)}${verified ? "" : ", unverified"}`;
  const title =
    summary === undefined
      ? state
      : `${paint("bold", printable(summary.ns))}  ${state}  ${summaryText(summary, nowSec)}`;
  const reasons = findings.map(({ condition: kind, code, message }) => {
    const what = code === undefined ? kind : `${kind} with ${code}`;
    return `    ${paint(CONDITIONS[kind], what)}: ${printable(message)}`;
  });
  return [`  ${title}`, ...reasons];
}

function summaryText(
  { root, set, fresh, objectCount, sealedCount, firstExpiry }: BundleSummary,
  nowSec: number,
): string {
  const objects = `${objectCount} object${objectCount === 1 ? "" : "s"}${sealedCount === 0 ? "" : ` (${sealedCount} sealed)`}`;
  const left = (expSec: number): string => (expSec <= nowSec ? "run out" : formatDurationSec(expSec - nowSec));
  return [
    `root ${root.ep}${root.mode === "enforce" ? "" : `, ${root.mode}`}`,
    `set ${set === undefined ? "none" : versionText(set.ver)}`,
    objects,
    fresh === undefined ? "never confirmed" : `fresh until ${timeText(fresh.expSec)} (${left(fresh.expSec)})`,
    `next to run out: ${printable(firstExpiry.what)} in ${left(firstExpiry.expSec)}`,
  ].join(", ");
}

const STEPS: Readonly<Record<Step, Style>> = {
  ...{ "in step": "green", unknown: "dim", behind: "red", ahead: "red", expired: "red", nothing: "red" },
};

const STEP_TEXTS: Readonly<Record<Step, string>> = {
  "in step": "in step with the API",
  unknown: "not among these plugins",
  behind: "behind: the API has a newer set",
  ahead: "ahead: the API has an older set, which is refused",
  expired: "expired: nobody has confirmed the set lately",
  nothing: "nothing is in force: 503 to every request",
};

export interface EnvoyStatus {
  readonly address: string;
  /** Or why it can not be asked. */
  readonly stats?: EnvoyStats;
  readonly fault?: string;
  readonly enforced: readonly Enforced[];
}

export function envoyText({ address, stats, fault, enforced }: EnvoyStatus, { paint }: TextOptions): string {
  const place = stats === undefined || stats.node.id === "" ? "" : `  ${printable(stats.node.id)}`;
  const title = `${paint("bold", `Envoy ${printable(address)}`)}${place}\n`;
  if (stats === undefined) return `${title}  ${paint("red", printable(fault ?? ""))}\n`;
  if (enforced.length === 0)
    return `${title}  ${paint("red", "no wpgate filter here, or nothing was delivered to it")}\n`;
  const rows = enforced.map(({ ns, step, rootEpoch, setVersion, expiresInSec }) => [
    `  ${paint("bold", printable(ns))}`,
    paint(STEPS[step], STEP_TEXTS[step]),
    `root ${rootEpoch}, set ${versionText(String(setVersion))}, expires in ${formatDurationSec(expiresInSec)}`,
  ]);
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`)
      .join(", ");
  const refused = Object.entries(stats.refused).map(([code, count]) => `${code} ${count}`);
  const rejected = Object.entries(stats.rejected).map(([name, count]) => `${printable(name)} ${count}`);
  const lines = [
    ...(refused.length === 0 ? [] : [`refused: ${refused.join(", ")}`]),
    ...(rejected.length === 0 ? [] : [`rejected, for reasons in Envoy's log: ${rejected.join(", ")}`]),
  ];
  return `${title}${columns(rows)}  ${counted(stats.counts)}\n${lines.map((line) => `  ${line}\n`).join("")}`;
}
