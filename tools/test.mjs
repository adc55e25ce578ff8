// `npm test`: everything that must hold, cheapest first; stops at the first stage that fails.
//   node tools/test.mjs           all stages
//   node tools/test.mjs static    generated code, format, lint, types and import direction only
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, ROOT } from "./prepare.mjs";

const bin = (name) => join(ROOT, "node_modules/.bin", name);
const STATIC = [
  ["generated code is current", process.execPath, ["proto/generate.mjs", "--check"]],
  ["format", bin("prettier"), ["--check", "--log-level=warn", "."]],
  ["lint", bin("eslint"), [".", "--max-warnings", "0"]],
  ["types", bin("tsc"), ["-p", "tsconfig.json"]],
  [
    "import direction",
    bin("depcruise"),
    ["--config", ".dependency-cruiser.cjs", "--output-type", "err", "filter/assembly", "xds-proxy/src", "test"],
  ],
];

await prepare();
const reports = mkdtempSync(join(tmpdir(), "wpgate-test-"));
let passed = 0;
let failed = 0;
try {
  for (const [name, file, args] of STATIC) {
    const ok = (await run(file, args)) === 0;
    console.log(`${ok ? "ok    " : "FAILED"} ${name}`);
    if (ok) passed++;
    else failed++;
  }
  if (failed === 0 && process.argv[2] !== "static" && !(await fetchEnvoy())) failed++;
  if (failed === 0 && process.argv[2] !== "static") {
    const report = join(reports, "vitest.json");
    const code = await run(bin("vitest"), [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
    ]);
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    passed += numPassedTests;
    failed += numFailedTests + numPendingTests + numTodoTests;
    if (code !== 0 && failed === 0) failed += Math.max(1, numFailedTestSuites);
  }
} finally {
  rmSync(reports, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

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

function run(file, args) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: "inherit" });
    child.on("error", () => resolve(1));
    child.on("close", (code) => resolve(code ?? 1));
  });
}
