/** How findings are shown and kept. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { machine } from "../bench/report.ts";
import type { Row } from "./tier-process.ts";
import { TIER_FLAGS } from "./tiers.ts";
import type { Tier } from "./tiers.ts";

const NAME_WIDTH = 14;

export interface TierResult {
  readonly tier: Tier;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly v8: string;
  readonly flags: readonly string[];
  readonly operations: readonly Row[];
}

export function header(): string {
  return spell(["", "", "measured", "max |t|", "below", "difference", "median", "verdict"]);
}

export function line(tier: Tier, row: Row): string {
  const { name, measurements, maxT, percentile, differenceNs, medianNs, verdict } = row;
  const times = [`${differenceNs.toFixed(2)} ns`, `${medianNs.toFixed(0)} ns`];
  const counts = [measurements.toLocaleString("en"), maxT.toFixed(2), `${percentile.toFixed(1)} %`];
  return spell([tier, name, ...counts, ...times, row.isControl ? `${verdict} (it should)` : verdict]);
}

function spell([tier = "", name = "", ...cells]: readonly string[]): string {
  const [verdict = "", ...numbers] = cells.reverse();
  return `${tier.padEnd(9)} ${name.padEnd(NAME_WIDTH)} ${numbers
    .reverse()
    .map((cell) => cell.padStart(11))
    .join(" ")}  ${verdict}`;
}

export function resultOf(tier: Tier, operations: readonly Row[]): TierResult {
  return { tier, machine: machine(), v8: process.versions.v8, flags: TIER_FLAGS[tier], operations };
}

/** Writes results/TIER.json; operations that were not measured now keep what was found before. */
export function save(tier: Tier, rows: readonly Row[]): void {
  const file = fileURLToPath(new URL(`results/${tier}.json`, import.meta.url));
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as TierResult).operations : [];
  const kept = before.filter(({ name }) => !rows.some((row) => row.name === name));
  const result = resultOf(tier, [...kept, ...rows.map(rounded)]);
  writeFileSync(file, `${JSON.stringify(result, undefined, 2)}\n`);
}

function rounded(row: Row): Row {
  const { maxT, percentile, differenceNs, medianNs, load } = row;
  const to = (value: number, digits: number): number => Number(value.toFixed(digits));
  return {
    ...row,
    ...{ maxT: to(maxT, 2), percentile: to(percentile, 1), differenceNs: to(differenceNs, 2) },
    ...{ medianNs: to(medianNs, 0), load: to(load, 1) },
  };
}
