/** npm run mutants -- filter [--file PART] [--list] [--record] */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runFilterMutants } from "./filter.ts";
import { instrument } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = "filter/assembly/envelope";
const RESULTS = new URL("results.json", import.meta.url);
const EQUIVALENT = new URL("equivalent.json", import.meta.url);

interface Equivalent {
  readonly file: string;
  readonly original: string;
  readonly replacement: string;
  readonly reason: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { file: { type: "string" }, list: { type: "boolean" }, record: { type: "boolean" } },
});
if (positionals.join() !== "filter") {
  process.stderr.write("usage: npm run mutants -- filter [--file PART] [--list] [--record]\n");
  process.exitCode = 2;
} else if (values.list) list();
else await run();

function files(): readonly string[] {
  return readdirSync(`${ROOT}${FOLDER}`)
    .map((name) => `${FOLDER}/${name}`)
    .filter((file) => file.endsWith(".ts") && file.includes(values.file ?? ""))
    .sort();
}

function list(): void {
  for (const file of files())
    for (const mutant of instrument(file, readFileSync(`${ROOT}${file}`, "utf8"), 1).mutants) print(mutant);
}

async function run(): Promise<void> {
  const { killed, survived, unreached } = await runFilterMutants(ROOT, files(), (text) => {
    process.stderr.write(`${text}\n`);
  });
  const known = JSON.parse(readFileSync(EQUIVALENT, "utf8")) as readonly Equivalent[];
  const isEquivalent = (mutant: Mutant): boolean =>
    known.some(
      (one) =>
        mutant.file.endsWith(`/${one.file}`) &&
        one.original === mutant.original &&
        one.replacement === mutant.replacement,
    );
  const alive = [...survived, ...unreached].filter((mutant) => !isEquivalent(mutant));
  const equivalent = survived.length + unreached.length - alive.length;
  for (const mutant of alive) print(mutant, unreached.includes(mutant) ? "unreached" : "survived");
  const score = { killed: killed.length, survived: alive.length, equivalent };
  process.stdout.write(`${JSON.stringify(score)}\n`);
  if (values.record) writeFileSync(RESULTS, `${JSON.stringify({ [FOLDER]: score }, null, 2)}\n`);
}

function print({ file, line, original, replacement }: Mutant, fate = ""): void {
  const oneLine = (text: string): string => text.replace(/\s+/g, " ");
  process.stdout.write(`${fate} ${file}:${line}  ${oneLine(original)}  =>  ${oneLine(replacement)}\n`.trimStart());
}
