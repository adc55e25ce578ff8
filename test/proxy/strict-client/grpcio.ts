/** gRPC's C core from PyPI (`grpcio`, a prebuilt wheel), installed once by pip into a cache folder. */
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { run, type ChildOutput } from "../../../xds-proxy/src/demo/child-output.ts";
import { ConfigError, UpstreamError } from "../../../xds-proxy/src/errors.ts";
import type { BuildOptions } from "../../lab/go-tools.ts";

const WHEEL = "grpcio==1.85.1";

/** The folder for PYTHONPATH. @throws ConfigError without python3, UpstreamError with what pip says */
export async function grpcio({ onProgress, signal }: BuildOptions = {}): Promise<string> {
  const tag = (await python(["-c", "import sys; print(sys.implementation.cache_tag)"], signal)).stdout.trim();
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "wpgate");
  const folder = join(cache, `${WHEEL.replace("==", "-")}-${tag}`);
  if (await exists(folder)) return folder;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, "download-"));
  try {
    onProgress?.(`installing ${WHEEL} with pip (once)`);
    const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"];
    const installed = await python([...pip, "--only-binary", ":all:", "--target", work, WHEEL], signal);
    if (installed.exitCode !== 0)
      throw new UpstreamError("UNAVAILABLE", `pip cannot install ${WHEEL}:\n${installed.stderr}`);
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function python(args: readonly string[], signal: AbortSignal | undefined): Promise<ChildOutput> {
  const output = await run({ file: "python3", args, environment: process.env, signal });
  if (!output) throw new ConfigError([{ path: "python3", message: `not found; ${WHEEL} is installed with it` }]);
  return output;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
