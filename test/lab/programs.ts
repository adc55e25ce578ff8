/**
 * The programs of the lab: etcd, kube-apiserver, kubectl, istiod, istio-agent, a registry and its client, all of one
 * go.mod. Go builds them once (about 7 minutes on 2 cores) into a cache folder that is named after that file's content.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";

const STACK = projectFile("test/lab/stack");
/** What kube-apiserver calls itself; clients and feature gates look at it. */
const KUBERNETES = "1.36.1";
const CRDS = "manifests/charts/base/files/crd-all.gen.yaml";
const [MAJOR, MINOR] = KUBERNETES.split(".");
const LINKER_FLAGS = [
  ...["-s", "-w", `-X k8s.io/component-base/version.gitVersion=v${KUBERNETES}`],
  `-X k8s.io/component-base/version.gitMajor=${MAJOR} -X k8s.io/component-base/version.gitMinor=${MINOR}`,
].join(" ");
const PROGRESS_EVERY_MS = 10_000;

/** Absolute paths. */
export interface Programs {
  readonly folder: string;
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
  readonly istiod: string;
  readonly istioAgent: string;
  readonly registry: string;
  readonly crane: string;
  /** Istio's custom resource definitions, one YAML file. */
  readonly crds: string;
}

export interface FindProgramsOptions {
  /** Now and then a sentence while Go builds. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** @throws ConfigError when Go is missing or too old; UpstreamError with what Go says when it cannot build */
export async function findPrograms(options: FindProgramsOptions = {}): Promise<Programs> {
  const modules = await Promise.all(["go.mod", "go.sum"].map((name) => readFile(join(STACK, name))));
  const digest = createHash("sha256");
  for (const content of [...modules, LINKER_FLAGS]) digest.update(content);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "wpgate");
  const folder = join(cache, `lab-${digest.digest("hex").slice(0, 16)}`);
  if (!(await exists(folder))) await build(cache, folder, options);
  return {
    folder,
    etcd: join(folder, "server"),
    kubeApiserver: join(folder, "kube-apiserver"),
    kubectl: join(folder, "kubectl"),
    istiod: join(folder, "pilot-discovery"),
    istioAgent: join(folder, "pilot-agent"),
    registry: join(folder, "registry"),
    crane: join(folder, "crane"),
    crds: join(folder, "crds.yaml"),
  };
}

/** The folder appears when all is in it, so that an interrupted build leaves no half of one. */
async function build(cache: string, folder: string, { onProgress, signal }: FindProgramsOptions): Promise<void> {
  await checkGo(signal);
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "building-"));
  try {
    onProgress?.("building etcd, kube-apiserver, kubectl and istiod with Go (once, about 7 minutes on 2 cores, 5 GB)");
    const packages = (await go(["list", "-deps", "tool"], signal)).split("\n").length - 1;
    await compile({ work, packages, onProgress, signal });
    const istio = (await go(["list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], signal)).trim();
    await copyFile(join(istio, CRDS), join(work, "crds.yaml"));
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function checkGo(signal: AbortSignal | undefined): Promise<void> {
  const wanted = /^go (\d+\.\d+)/m.exec(await readFile(join(STACK, "go.mod"), "utf8"))?.[1] ?? "";
  const output = await run({ file: "go", args: ["env", "GOVERSION"], environment: process.env, signal });
  if (output === undefined)
    throw new ConfigError([{ path: "go", message: `not found; the lab is built with Go ${wanted} or newer` }]);
  const found = /^go(\d+)\.(\d+)/.exec(output.stdout);
  const [major = 0, minor = 0] = wanted.split(".").map(Number);
  if (found === null || Number(found[1]) < major || (Number(found[1]) === major && Number(found[2]) < minor))
    throw new ConfigError([
      { path: "go", message: `is ${output.stdout.trim()}; the lab is built with Go ${wanted} or newer` },
    ]);
}

interface Compilation {
  readonly work: string;
  readonly packages: number;
  readonly onProgress: FindProgramsOptions["onProgress"];
  readonly signal: AbortSignal | undefined;
}

/** Go names each package when it is compiled; what its own cache holds it passes over. */
async function compile({ work, packages, onProgress, signal }: Compilation): Promise<void> {
  const args = ["build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath", `-ldflags=${LINKER_FLAGS}`];
  const child = spawn("go", [...args, "-o", work, "tool"], {
    ...{ cwd: STACK, env: goEnvironment(), signal, killSignal: "SIGTERM" },
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
        else reject(new UpstreamError("UNAVAILABLE", `Go cannot build the lab:\n${last.join("\n")}`));
      });
    });
  } finally {
    clearInterval(timer);
  }
}

async function go(args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const [command = "", ...rest] = args;
  const environment = goEnvironment();
  const output = await run({ file: "go", args: [command, "-C", STACK, ...rest].filter(Boolean), environment, signal });
  if (output?.exitCode !== 0) throw new UpstreamError("UNAVAILABLE", `go ${command} fails:\n${output?.stderr ?? ""}`);
  return output.stdout;
}

/** The lab is built with the Go that is there, and without a C compiler. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local" };
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
