/**
 * Programs in Go for the tests: the `tool` lines of a go.mod, built once into a cache folder that is named after that
 * file's content.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";

const PROGRESS_EVERY_MS = 10_000;

export interface GoTools {
  /** What they are called in errors, such as `the lab`; the folder's name begins with its last word. */
  readonly name: string;
  /** Where go.mod and go.sum lie. */
  readonly source: string;
  readonly linkerFlags: string;
  /** What is said before the first build. */
  readonly announcement: string;
  /** Adds what else the folder must hold. `module` finds the folder of a module. */
  readonly complete?: (folder: string, module: (path: string) => Promise<string>) => Promise<void>;
}

export interface BuildOptions {
  /** Now and then a sentence while Go builds. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** The folder of the programs, which are called as their packages are.
 *  @throws ConfigError when Go is missing or too old; UpstreamError with what Go says when it cannot build */
export async function goTools(tools: GoTools, options: BuildOptions = {}): Promise<string> {
  const modules = await Promise.all(["go.mod", "go.sum"].map((name) => readFile(join(tools.source, name))));
  const digest = createHash("sha256");
  for (const content of [...modules, tools.linkerFlags]) digest.update(content);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "wpgate");
  const word = tools.name.split(" ").at(-1) ?? "";
  const folder = join(cache, `${word}-${digest.digest("hex").slice(0, 16)}`);
  if (!(await exists(folder))) await build({ ...options, tools, cache, folder });
  return folder;
}

interface Build extends BuildOptions {
  readonly tools: GoTools;
  readonly cache: string;
  readonly folder: string;
}

/** The folder appears when all is in it, so that an interrupted build leaves no half of one. */
async function build({ tools, cache, folder, onProgress, signal }: Build): Promise<void> {
  await checkGo(tools, signal);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "building-"));
  try {
    onProgress?.(tools.announcement);
    const packages = (await go(tools, ["list", "-deps", "tool"], signal)).split("\n").length - 1;
    await compile({ tools, work, packages, onProgress, signal });
    await tools.complete?.(work, async (path) =>
      (await go(tools, ["list", "-m", "-f", "{{.Dir}}", path], signal)).trim(),
    );
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function checkGo({ name, source }: GoTools, signal: AbortSignal | undefined): Promise<void> {
  const wanted = /^go (\d+\.\d+)/m.exec(await readFile(join(source, "go.mod"), "utf8"))?.[1] ?? "";
  const output = await run({ file: "go", args: ["env", "GOVERSION"], environment: process.env, signal });
  if (output === undefined)
    throw new ConfigError([{ path: "go", message: `not found; ${name} is built with Go ${wanted} or newer` }]);
  const found = /^go(\d+)\.(\d+)/.exec(output.stdout);
  const [major = 0, minor = 0] = wanted.split(".").map(Number);
  if (found === null || Number(found[1]) < major || (Number(found[1]) === major && Number(found[2]) < minor))
    throw new ConfigError([
      { path: "go", message: `is ${output.stdout.trim()}; ${name} is built with Go ${wanted} or newer` },
    ]);
}

interface Compilation {
  readonly tools: GoTools;
  readonly work: string;
  readonly packages: number;
  readonly onProgress: BuildOptions["onProgress"];
  readonly signal: AbortSignal | undefined;
}

/** Go names each package when it is compiled; what its own cache holds it passes over. */
async function compile({ tools, work, packages, onProgress, signal }: Compilation): Promise<void> {
  const args = ["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath", `-ldflags=${tools.linkerFlags}`];
  const child = spawn("go", [...args, "-o", work, "tool"], {
    ...{ cwd: tools.source, env: goEnvironment(), signal, killSignal: "SIGTERM" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let count = 0;
  const last: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    if (/^[\w.-]+(?:\/[\w.~-]+)*$/.test(line)) count++;
    else if (last.push(line) > 20) last.shift();
  });
  const timer = setInterval(() => {
    onProgress?.(count === 0 ? "downloading modules …" : `compiled ${count} of at most ${packages} packages …`);
  }, PROGRESS_EVERY_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve();
        else reject(new UpstreamError("UNAVAILABLE", `Go cannot build ${tools.name}:\n${last.join("\n")}`));
      });
    });
  } finally {
    clearInterval(timer);
  }
}

async function go({ source }: GoTools, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const [command = "", ...rest] = args;
  const environment = goEnvironment();
  const output = await run({ file: "go", args: [command, "-C", source, ...rest].filter(Boolean), environment, signal });
  if (output?.exitCode !== 0) throw new UpstreamError("UNAVAILABLE", `go ${command} fails:\n${output?.stderr ?? ""}`);
  return output.stdout;
}

/** Built with the Go that is there, and without a C compiler. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local" };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
