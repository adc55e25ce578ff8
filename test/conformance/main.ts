/**
 * Conformance runner: runs suites on one implementation and prints a JSON line for each.
 *
 *   npm run -s conformance -- --impl ts|wasm|host --suite FILE|FOLDER…
 *
 * Exit 1 on a disagreement, on a suite without cases, on one that cannot be read.
 */
import { parseArgs } from "node:util";
import { WpgateError } from "../../xds-proxy/src/errors.ts";
import { IMPLEMENTATIONS } from "./implementation.ts";
import type { Implementation, ImplementationName } from "./implementation.ts";
import { host } from "./implementation-host.ts";
import { typescript } from "./implementation-ts.ts";
import { wasm } from "./implementation-wasm.ts";
import { runSuite } from "./run-suite.ts";
import { readSuites } from "./suite.ts";
import { UnreadableError } from "./unreadable.ts";

const USAGE = "npm run -s conformance -- --impl ts|wasm|host --suite FILE|FOLDER…";
const SUITES = "suites are files of Project Wycheproof, or folders of cases as in docs/envelope.md";

interface Arguments {
  readonly impl: ImplementationName;
  readonly paths: readonly string[];
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;

async function main(args: readonly string[]): Promise<boolean> {
  const parsed = readArguments(args);
  if (parsed === undefined) return complain("no implementation and suite to run", USAGE);
  const implementation = implementationOf(parsed.impl);
  let good = true;
  for (const path of parsed.paths) good = (await runPath(path, parsed.impl, implementation)) && good;
  return good;
}

async function runPath(path: string, impl: ImplementationName, implementation: Implementation): Promise<boolean> {
  try {
    let good = true;
    for (const suite of readSuites(path)) {
      const score = await runSuite(suite, implementation);
      process.stdout.write(`${JSON.stringify({ suite: suite.name, impl, ...score })}\n`);
      good &&= score.cases > 0 && score.disagree.length === 0;
    }
    return good;
  } catch (error) {
    if (error instanceof UnreadableError) return complain(error.message, SUITES);
    if (error instanceof WpgateError) return complain(error.message, "npm start fetches all that is needed");
    throw error;
  }
}

function implementationOf(impl: ImplementationName): Implementation {
  switch (impl) {
    case "ts":
      return typescript;
    case "wasm":
      return wasm;
    case "host":
      return host;
  }
}

function readArguments(args: readonly string[]): Arguments | undefined {
  try {
    const options = { impl: { type: "string" }, suite: { type: "string", multiple: true } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const impl = IMPLEMENTATIONS.find((name) => name === values.impl);
    const paths = [...(values.suite ?? []), ...positionals];
    return impl === undefined || paths.length === 0 ? undefined : { impl, paths };
  } catch {
    return undefined;
  }
}

function complain(what: string, hint: string): false {
  process.stderr.write(`wpgate: error: ${what}\nwpgate: hint: ${hint}\n`);
  return false;
}
