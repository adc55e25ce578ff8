/** How a namespace's part of a bundle is doing: what has run out, and what will before anybody expects it. */
import type { Recipient } from "../envelope/types.ts";
import type { Pin } from "../envelope/types.ts";
import { ParseError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { summarize, type BundleSummary } from "./bundle-summary.ts";
import { verifyBundle } from "./verify-bundle.ts";

/** `expired` and `refused` are to be repaired now, `warning` before it comes to that. */
export type Condition = "ok" | "warning" | "expired" | "refused";

export interface Finding {
  readonly condition: Exclude<Condition, "ok">;
  readonly code?: Code;
  readonly message: string;
}

export interface SetStatus {
  /** Absent where it can not be read. */
  readonly summary?: BundleSummary;
  /** Without a pin, nothing of all this is proven. */
  readonly verified: boolean;
  readonly findings: readonly Finding[];
}

export interface SetStatusOptions {
  readonly bundle: NamespaceBundle;
  readonly nowMs: number;
  readonly pin?: Pin | undefined;
  readonly recipient?: Recipient | undefined;
}

/** As `wpgate fresh` and `wpgate sign` warn. */
const SOON_SEC = 14 * 86_400;

export function setStatus(options: SetStatusOptions): SetStatus {
  const summary = summaryOf(options.bundle);
  if (summary === undefined) {
    const message = "what is there is no envelope";
    return { verified: false, findings: [{ condition: "refused", code: "PROTO", message }] };
  }
  const { verified, refusal } = verdictOf(options, summary);
  const times = timesOf(summary, Math.trunc(options.nowMs / 1000));
  // A refusal for something that has run out says the same again.
  const said = times.some(({ condition }) => condition === "expired") && refusal !== undefined && isTime(refusal.code);
  return { summary, verified, findings: [...(refusal === undefined || said ? [] : [refusal]), ...times] };
}

/** The worst of them. */
export function conditionOf(findings: readonly Finding[]): Condition {
  const order: readonly Condition[] = ["refused", "expired", "warning"];
  return order.find((condition) => findings.some((finding) => finding.condition === condition)) ?? "ok";
}

function summaryOf(bundle: NamespaceBundle): BundleSummary | undefined {
  try {
    return summarize(bundle);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

interface Verdict {
  readonly verified: boolean;
  readonly refusal?: Finding;
}

/** Namespaces of others are not in the pin, and what is sealed is for others to read: no verdict, but no fault either. */
function verdictOf({ pin, bundle, nowMs, recipient }: SetStatusOptions, { ns, sealedCount }: BundleSummary): Verdict {
  if (pin === undefined || !Object.hasOwn(pin.roots, ns)) return { verified: false };
  const verdict = verifyBundle({ pin, bundle, nowMs, states: new Map(), recipient });
  if (verdict.result === "ok") return { verified: true };
  if (verdict.result === "RECIPIENT" && recipient === undefined && sealedCount > 0) return { verified: false };
  const { result: code, where, reason } = verdict;
  return { verified: true, refusal: { condition: "refused", code, message: `${where}: ${reason}` } };
}

function isTime(code: Code | undefined): boolean {
  return code === "EXPIRED" || code === "FRESH_STALE";
}

function timesOf({ set, fresh, firstExpiry }: BundleSummary, nowSec: number): readonly Finding[] {
  const findings: Finding[] = [];
  const say = (condition: Finding["condition"], message: string): number => findings.push({ condition, message });
  if (set === undefined) say("refused", "there is no set");
  else if (fresh === undefined) say("expired", "nobody has confirmed the set: run wpgate fresh");
  else if (fresh.set.ver !== set.ver || fresh.set.cd !== set.cd) say("refused", "fresh is about another set");
  else if (fresh.expSec <= nowSec) say("expired", "nobody has confirmed the set lately: is the online signer at work?");
  else if ((fresh.expSec - nowSec) * 2 < fresh.expSec - fresh.iatSec)
    say("warning", "less than half of the confirmation's life is left: is the online signer at work?");
  if (firstExpiry.expSec <= nowSec) say("expired", `${firstExpiry.what} has run out`);
  else if (firstExpiry.expSec - nowSec < SOON_SEC) say("warning", `${firstExpiry.what} runs out soon`);
  return findings;
}
