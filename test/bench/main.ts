/**
 * Benchmarks: `npm run -s bench -- NAME… [--json]`. Without a name, all of them. With `--json` the last line of each is
 * `{"bench":NAME,"machine":…,"ratios":{…},"absolute":{…}}`; results that the documents quote are in results/.
 */
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { printJson, printTable, progressOn } from "./report.ts";

/** Loaded when asked for: some need what others do not. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  blocked: async () => (await import("./blocked.ts")).blockedBench,
  configure: async () => (await import("./configure.ts")).configureBench,
  envelope: async () => (await import("./envelope.ts")).envelopeBench,
  filter: async () => (await import("./filter.ts")).filterBench,
  istio: async () => (await import("./istio.ts")).istioBench,
  proxy: async () => (await import("./proxy.ts")).proxyBench,
};

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean" } },
    allowPositionals: true,
  });
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    console.error(`wpgate: error: no benchmark ${unknown.join(", ")}`);
    console.error(`wpgate: hint: there are ${Object.keys(BENCHES).join(", ")}`);
    return 2;
  }
  for (const name of names) await runBench(name, values.json === true);
  return 0;
}

async function runBench(name: string, json: boolean): Promise<void> {
  const bench = await BENCHES[name]?.();
  if (!bench) return;
  const progress = progressOn(name);
  const result = await bench.run(progress.show);
  progress.end();
  printTable(result.table);
  if (json) printJson(name, result);
}

process.exitCode = await main(process.argv.slice(2));
