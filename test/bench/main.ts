/**
 * Benchmarks: `npm run -s bench -- NAME… [--json]` (`--help`). Without a name, all of them. With `--json` the last line of each is
 * `{"bench":NAME,"machine":…,"ratios":{…},"absolute":{…}}`; results that the documents quote are in results/.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, BenchOptions } from "./bench.ts";
import { printJson, printTable, progressOn } from "./report.ts";

/** Loaded when asked for: some need what others do not. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  blocked: async () => (await import("./blocked.ts")).blockedBench,
  configure: async () => (await import("./configure.ts")).configureBench,
  crypto: async () => (await import("./crypto.ts")).cryptoBench,
  envelope: async () => (await import("./envelope.ts")).envelopeBench,
  filter: async () => (await import("./filter.ts")).filterBench,
  istio: async () => (await import("./istio.ts")).istioBench,
  proxy: async () => (await import("./proxy.ts")).proxyBench,
};

const HELP = `npm run -s bench -- [NAME…] [--json] [--peers DIR]

  NAME         ${Object.keys(BENCHES).join(", ")}; without one, all of them
  --json       ends each with one line: {"bench":NAME,"machine":…,"ratios":{…},"absolute":{…}}
  --peers DIR  crypto: every *.wasm in DIR takes part as well (what it must export: test/bench/rivals/README.md)
  --help       shows this`;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean" }, peers: { type: "string" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
  const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
  if (unknown.length > 0) {
    console.error(`wpgate: error: no benchmark ${unknown.join(", ")}`);
    console.error(`wpgate: hint: there are ${Object.keys(BENCHES).join(", ")}`);
    return 2;
  }
  const { json = false, peers } = values;
  for (const name of names) await runBench(name, json, peers === undefined ? {} : { peers: resolve(peers) });
  return 0;
}

async function runBench(name: string, json: boolean, options: BenchOptions): Promise<void> {
  const bench = await BENCHES[name]?.();
  if (!bench) return;
  const progress = progressOn(name);
  const result = await bench.run(progress.show, options);
  progress.end();
  printTable(result.table);
  for (const note of result.notes ?? []) console.log(note);
  if (json) printJson(name, result);
}

process.exitCode = await main(process.argv.slice(2));
