import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy } from "../../xds-proxy/src/demo/envoy-process.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { bootstrap } from "../../xds-proxy/src/demo/resources.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";

let folder: string;
let before: string | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-process-"));
  before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = before;
  await rm(folder, { recursive: true, force: true });
});

const BOOTSTRAP = bootstrap({ adsPort: 1, namespace: "team-a", app: "shop" });
const binary = async (): Promise<string> => await findEnvoy({ environment: process.env });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("stop leaves no process and no file, also when called twice", async () => {
  const envoy = await startEnvoy({ binary: await binary(), bootstrap: BOOTSTRAP });
  expect(isAlive(envoy.pid)).toBe(true);
  expect(await envoy.rssBytes()).toBeGreaterThan(10_000_000);
  expect(await envoy.cpuSec()).toBeGreaterThanOrEqual(0);
  expect(await envoy.admin.stat("server.concurrency")).toBe(1);
  await Promise.all([envoy.stop(), envoy.stop()]);
  expect(isAlive(envoy.pid)).toBe(false);
  expect(await readdir(folder)).toEqual([]);
});

test("the one that replaces it by a hot restart outlives it, and leaves no shared memory", async () => {
  const hotRestart = { parentShutdownTimeSec: 1 };
  const common = { binary: await binary(), bootstrap: { admin: BOOTSTRAP.admin }, drainTimeSec: 0 };
  const first = await startEnvoy({ ...common, hotRestart });
  await first.admin.ready();
  const second = await startEnvoy({ ...common, hotRestart: { ...hotRestart, replaces: first.epoch } });
  expect(await first.ended).toContain("code 0");
  expect(second.epoch).toEqual({ baseId: first.epoch?.baseId, number: 1 });
  expect(await second.admin.stat("server.hot_restart_epoch")).toBe(1);
  const left = async (): Promise<string[]> =>
    (await readdir("/dev/shm")).filter((name) => name.includes(String(first.epoch?.baseId)));
  expect(await left()).toHaveLength(1);
  await first.stop();
  await second.stop();
  expect(await left()).toEqual([]);
  expect(await readdir(folder)).toEqual([]);
});

test("a bootstrap that Envoy refuses is one error with what Envoy said", async () => {
  const bad = { ...BOOTSTRAP, admin: { no_such_field: 1 } };
  const error = await startEnvoy({ binary: await binary(), bootstrap: bad }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: "UpstreamError", code: "UNAVAILABLE" });
  expect((error as Error).message).toContain("no_such_field");
  expect(await readdir(folder)).toEqual([]);
});

test("a binary that is not there is the same error", async () => {
  const error = await startEnvoy({ binary: "/nowhere/envoy", bootstrap: BOOTSTRAP }).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: "UpstreamError", code: "UNAVAILABLE" });
  expect(await readdir(folder)).toEqual([]);
});

test("a signal ends the start with its own reason and leaves nothing", async () => {
  const controller = new AbortController();
  const started = startEnvoy({ binary: await binary(), bootstrap: BOOTSTRAP, signal: controller.signal });
  const reason = new Error("enough");
  setTimeout(() => {
    controller.abort(reason);
  }, 20);
  expect(await started.catch((e: unknown) => e)).toBe(reason);
  expect(await readdir(folder)).toEqual([]);
});

test("Envoy ends with a parent that is killed, and its folder goes too", async () => {
  const program = `
    import { startEnvoy } from ${JSON.stringify(projectFile("xds-proxy/src/demo/envoy-process.ts"))};
    const envoy = await startEnvoy(${JSON.stringify({ binary: await binary(), bootstrap: BOOTSTRAP })});
    console.log(envoy.pid);
    setInterval(() => {}, 1000);`;
  const tsx = projectFile("node_modules/tsx/dist/loader.mjs");
  const args = ["--import", tsx, "--input-type=module", "--eval", program];
  const parent = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
  const pid = Number(chunk.toString());
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  await until({ what: "the end of Envoy", probe: () => (isAlive(pid) ? undefined : true) });
  const left = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith("wpgate-"));
  await until({ what: "an empty folder", probe: async () => ((await left()).length === 0 ? true : undefined) });
});
