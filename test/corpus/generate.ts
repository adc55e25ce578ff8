/**
 * Writes test/vectors/envelope, the same bytes every time.
 *   npx tsx test/corpus/generate.ts            writes
 *   npx tsx test/corpus/generate.ts --check    compares with what is there
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { caseText, corpus } from "./corpus.ts";

const FOLDER = fileURLToPath(new URL("../vectors/envelope/", import.meta.url));

function main(): void {
  const files = new Map([...corpus()].map(([name, file]) => [`${name}.json`, caseText(file)]));
  mkdirSync(FOLDER, { recursive: true });
  const present = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));
  const surplus = present.filter((name) => !files.has(name));
  if (process.argv.includes("--check")) {
    const stale = [...files].filter(
      ([name, text]) => !present.includes(name) || readFileSync(FOLDER + name, "utf8") !== text,
    );
    const names = [...surplus, ...stale.map(([name]) => name)];
    if (names.length === 0) return;
    console.error(`wpgate: error: the envelope corpus is not current: ${names.join(", ")}`);
    console.error("wpgate: hint: run npx tsx test/corpus/generate.ts");
    process.exitCode = 1;
    return;
  }
  for (const name of surplus) rmSync(FOLDER + name);
  for (const [name, text] of files) writeFileSync(FOLDER + name, text);
  console.log(`${files.size} cases`);
}

main();
