// Brings a clone to a state in which everything runs: packages, generated code, dist/, the Wasm modules.
// Each step is skipped when its inputs are those of its last success. Only Node's own modules may be imported here.
//   node tools/prepare.mjs
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const STAMPS = join(ROOT, ".cache/stamps.json");
const bin = (name) => join(ROOT, "node_modules/.bin", name);

/** Modules in filter/build: wpgate is shipped, the others serve the tests. */
const MODULES = [
  { name: "wpgate", entry: "filter/assembly/index", target: "release", onlyForTests: false },
  { name: "testable", entry: "filter/assembly/testable", target: "testable", onlyForTests: true },
  // Without SIMD: both sides of every `if (ASC_FEATURE_SIMD)` are tested.
  { name: "testable-scalar", entry: "filter/assembly/testable", target: "testable-scalar", onlyForTests: true },
  { name: "host-probe", entry: "filter/assembly/host-probe", target: "release", onlyForTests: true },
  { name: "leaky", entry: "test/ct/assembly/leaky", target: "testable", onlyForTests: true },
];

/** In order; `inputs` are files or folders, `outputs` must exist for the step to be skipped; `run` may return a remark. */
const STEPS = [
  {
    name: "install packages",
    inputs: ["package-lock.json"],
    outputs: ["node_modules/.package-lock.json"],
    run: () => command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]),
  },
  {
    // Scripts of packages stay off; this one may build: SQLite comes ready where its release page can be reached.
    name: "build SQLite for wpgate proxy",
    inputs: ["package-lock.json"],
    outputs: ["node_modules/better-sqlite3/build/Release/better_sqlite3.node"],
    onlyForTests: true,
    run: () =>
      command("npm", ["rebuild", "better-sqlite3", "--ignore-scripts=false", "--loglevel=error", ...headers()]),
  },
  {
    name: "generate code from proto/",
    inputs: ["proto", "package-lock.json"],
    outputs: ["xds-proxy/src/gen/proto/webpush_pb.js", "filter/assembly/gen/codes.ts"],
    run: () => command(process.execPath, ["proto/generate.mjs"]),
  },
  {
    name: "compile TypeScript",
    inputs: ["proto", "xds-proxy/src", "tsconfig.json", "tsconfig.build.json", "package-lock.json"],
    outputs: ["dist/cli/main.js"],
    run: async () => {
      rmSync(join(ROOT, "dist"), { recursive: true, force: true });
      await command(bin("tsc"), ["-p", "tsconfig.build.json"]);
      cpSync(join(ROOT, "xds-proxy/src/gen/proto"), join(ROOT, "dist/gen/proto"), { recursive: true });
    },
  },
  ...MODULES.map(({ name, entry, target, onlyForTests }) => ({
    name: `compile ${name}.wasm`,
    onlyForTests,
    inputs: ["proto", "filter/assembly", "test/ct/assembly", "asconfig.json", "package-lock.json"],
    outputs: [`filter/build/${name}.wasm`],
    run: async () => {
      const options = ["--config", "asconfig.json", "--target", target, "--outFile", `filter/build/${name}.wasm`];
      await command(bin("asc"), [`${entry}.ts`, ...options]);
      if (!onlyForTests) return `SHA-256 ${sha256(`filter/build/${name}.wasm`)}`;
    },
  })),
];

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepare();

/** Runs what is out of date, what only tests need if they are to be run; ends the process with one sentence when a step fails. */
export async function prepare({ forTests = true } = {}) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node ${process.versions.node} is too old`, "install Node 20.19 or newer");
  const stamps = existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, "utf8")) : {};
  for (const step of STEPS) {
    if (step.onlyForTests && !forTests) continue;
    const stamp = digest(step.inputs);
    if (stamps[step.name] === stamp && step.outputs.every((path) => existsSync(join(ROOT, path)))) continue;
    await withProgress(step.name, step.run);
    stamps[step.name] = stamp;
    mkdirSync(dirname(STAMPS), { recursive: true });
    writeFileSync(STAMPS, JSON.stringify(stamps));
  }
}

/** Those of this Node, where it brought them along; else the builder looks for some in the network. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node.h")) ? [`--nodedir=${prefix}`] : [];
}

/** Runs a program in the project's folder; its output is shown only when it fails. */
function command(file, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => output.push(chunk));
    child.on("error", (cause) => reject(new Error(`cannot run ${file}: ${cause.message}`)));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${[file, ...args].join(" ")} ended with ${code}\n${Buffer.concat(output).toString()}`));
    });
  });
}

async function withProgress(name, run) {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(0);
  const tty = process.stderr.isTTY;
  if (!tty) process.stderr.write(`wpgate: ${name} …\n`);
  const timer = tty && setInterval(() => process.stderr.write(`\rwpgate: ${name} … ${seconds()} s `), 250);
  try {
    const remark = await run();
    process.stderr.write(`${tty ? "\r" : ""}wpgate: ${name}: done in ${seconds()} s${remark ? `, ${remark}` : ""}\n`);
  } catch (error) {
    fail(`cannot ${name}: ${error.message}`, "the lines above say what the tool reported");
  } finally {
    if (timer) clearInterval(timer);
  }
}

function fail(what, hint) {
  process.stderr.write(`wpgate: error: ${what}\nwpgate: hint: ${hint}\n`);
  process.exit(1);
}

function sha256(path) {
  return createHash("sha256")
    .update(readFileSync(join(ROOT, path)))
    .digest("hex");
}

function digest(inputs) {
  const hash = createHash("sha256").update(process.version);
  const add = (path) => hash.update(path).update(readFileSync(join(ROOT, path)));
  for (const input of inputs) {
    if (input.includes(".")) add(input);
    else files(input).forEach(add);
  }
  return hash.digest("hex");
}

function files(dir) {
  return readdirSync(join(ROOT, dir), { withFileTypes: true })
    .filter((entry) => entry.name !== "gen")
    .flatMap((entry) => (entry.isDirectory() ? files(`${dir}/${entry.name}`) : [`${dir}/${entry.name}`]))
    .sort();
}
