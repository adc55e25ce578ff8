// Everything that must hold, cheapest first; stops at the first suite that fails.
//   node tools/test.mjs                     static and unit, as `npm test`
//   node tools/test.mjs SUITE…              any of static, unit, istio
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, ROOT } from "./prepare.mjs";

const bin = (name) => join(ROOT, "node_modules/.bin", name);
const STATIC = [
  ["generated code is current", process.execPath, ["proto/generate.mjs", "--check"]],
  ["the module's interface is the listed one", process.execPath, ["tools/capabilities.mjs", "--check"]],
  ["format", bin("prettier"), ["--check", "--log-level=warn", "."]],
  ["lint", bin("eslint"), [".", "--max-warnings", "0"]],
  ["types", bin("tsc"), ["-p", "tsconfig.json"]],
  [
    "import direction",
    bin("depcruise"),
    ["--config", ".dependency-cruiser.cjs", "--output-type", "err", "filter/assembly", "xds-proxy/src", "test"],
  ],
];

const SUITES = {
  /** Generated code, the module's interface, format, lint, types and import direction. */
  static: async () => {
    for (const [name, file, args] of STATIC) {
      const ok = (await run(file, args)) === 0;
      console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
      count(ok ? { passed: 1 } : { failed: 1 });
    }
  },
  /** Vectors, both implementations, real Envoy. */
  unit: async () => ((await fetchEnvoy()) ? await vitest("vitest.config.ts") : count({ failed: 1 })),
  /** Real API server and real istiod, other control planes and clients: what is built with Go or installed with pip. */
  istio: async () =>
    (await fetchEnvoy()) && (await prepareIstio()) ? await vitest("vitest.istio.config.ts") : count({ failed: 1 }),
};

const suites = process.argv.length > 2 ? process.argv.slice(2) : ["static", "unit"];
const unknown = suites.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  process.stderr.write(
    `wpgate: error: no suite ${unknown.join(", ")}\nwpgate: hint: ${Object.keys(SUITES).join(", ")}\n`,
  );
  process.exit(2);
}
await prepare();
let passed = 0;
let failed = 0;
for (const name of suites) if (failed === 0) await SUITES[name]();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function count(more) {
  passed += more.passed ?? 0;
  failed += more.failed ?? 0;
}

/** A test that skips itself counts as failed. */
async function vitest(config) {
  const reports = mkdtempSync(join(tmpdir(), "wpgate-test-"));
  try {
    const report = join(reports, "vitest.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await run(bin("vitest"), ["run", "--config", config, ...reporters]);
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    count({ passed: numPassedTests, failed: numFailedTests + numPendingTests + numTodoTests });
    if (code !== 0 && failed === 0) count({ failed: Math.max(1, numFailedTestSuites) });
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/** Before the tests, which run several at once and would each wait for the download without a word. */
async function fetchEnvoy() {
  const { findEnvoy } = await import(pathToFileURL(join(ROOT, "dist/demo/envoy-binary.js")).href);
  try {
    await findEnvoy({
      environment: process.env,
      onProgress: (message) => process.stderr.write(`wpgate: ${message}\n`),
    });
    return true;
  } catch (error) {
    process.stderr.write(`wpgate: error: ${error.message}\n`);
    return false;
  }
}

/** Before the tests, for the same reason. */
async function prepareIstio() {
  return (await run(bin("tsx"), [join(ROOT, "test/istio/prepare.ts")])) === 0;
}

function run(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: "inherit" });
    child.on("error", () => resolve(1));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
