/** Timing leakage: `npm run -s ct`. See options.ts for the command line, welch.ts for the method. */
import { availableParallelism } from "node:os";
import { progressOn } from "../bench/report.ts";
import { HELP, readOptions, UsageError } from "./options.ts";
import type { Options } from "./options.ts";
import { header, line, resultOf, save } from "./report.ts";
import { runTier } from "./run.ts";
import type { Row } from "./tier-process.ts";
import type { Tier } from "./tiers.ts";

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options) return await search(options);
    process.stdout.write(HELP);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`wpgate: error: ${error.message}`);
    console.error(`wpgate: hint: ${error.hint}`);
    return 2;
  }
}

async function search({ tiers, operations, measurements, json, save: saves }: Options): Promise<number> {
  const say = json ? console.error : console.log;
  const found = new Map<Tier, Row[]>(tiers.map((tier) => [tier, []]));
  const states = new Map<Tier, string>();
  const progress = progressOn("ct");
  const run = async (tier: Tier): Promise<void> => {
    const rows = found.get(tier) ?? [];
    await runTier({
      ...{ tier, measurements, operations: operations.map(({ name }) => name) },
      onProgress: (_, name, done) => {
        states.set(tier, `${tier} ${name} ${Math.floor((100 * done) / measurements)} %`);
        progress.show([...states.values()].join(", "));
      },
      onRow: (_, row) => {
        rows.push(row);
        progress.end();
        say(line(tier, row));
        if (saves) save(tier, rows);
      },
    });
    states.delete(tier);
  };
  say(header());
  // Each compiler has a processor of its own, or its turn.
  if (availableParallelism() >= tiers.length) await Promise.all(tiers.map(run));
  else for (const tier of tiers) await run(tier);
  if (json) console.log(JSON.stringify([...found].map(([tier, rows]) => resultOf(tier, rows))));
  return conclude([...found].flatMap(([tier, rows]) => rows.map((row) => ({ tier, row }))));
}

function conclude(found: readonly { readonly tier: Tier; readonly row: Row }[]): number {
  const missed = found.filter(({ row }) => row.isControl && row.verdict !== "leaks");
  const leaking = found.filter(({ row }) => !row.isControl && row.verdict === "leaks");
  const suspect = found.filter(({ row }) => !row.isControl && row.verdict === "suspect");
  const names = (some: typeof found): string => some.map(({ tier, row }) => `${row.name} (${tier})`).join(", ");
  if (missed.length > 0) complain(`does not find what leaks: ${names(missed)}`, "take more measurements");
  if (leaking.length > 0) complain(`time depends on the secret: ${names(leaking)}`, "repeat it with --op");
  if (suspect.length > 0) console.error(`wpgate: hint: repeat with more measurements: ${names(suspect)}`);
  return missed.length + leaking.length > 0 ? 1 : 0;
}

function complain(error: string, hint: string): void {
  console.error(`wpgate: error: ${error}`);
  console.error(`wpgate: hint: ${hint}`);
}

process.exitCode = await main(process.argv.slice(2));
