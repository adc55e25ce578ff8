/** Modules out of a real registry, in the layouts that istio-agent knows, also behind a login. */
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { ModuleCache } from "../../xds-proxy/src/modules/module-cache.ts";
import { expectedByIstio } from "../../xds-proxy/src/modules/module-request.ts";
import { LoginGate } from "../lab/login-gate.ts";
import { findPrograms } from "../lab/programs.ts";
import { Registry } from "../lab/registry.ts";
import { failureOf, newModule, sha256Of } from "../modules/web.ts";

type Push = (registry: Registry, name: string, module: Buffer) => Promise<string>;

const LAYOUTS: readonly (readonly [string, Push])[] = [
  ["Docker image", async (registry, name, module) => await pushImage(registry, name, module, [])],
  ["OCI image", async (registry, name, module) => await pushImage(registry, name, module, ["--oci-empty-base"])],
  ["OCI artifact", async (registry, name, module) => await registry.pushArtifact(name, module)],
];

let registry: Registry;
let folder: string;
let module: Buffer;
let never: AbortSignal;
beforeAll(async () => {
  registry = await Registry.start(await findPrograms());
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-modules-"));
  module = newModule(300_000);
  never = new AbortController().signal;
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});
afterAll(async () => {
  await registry.stop();
});

test.each(LAYOUTS)("%s: by tag and by digest, and with the registry gone from the folder", async (_layout, push) => {
  const image = await push(registry, "team/wpgate:1", module);
  const digest = image.split("@sha256:")[1] ?? "";
  const byTag = { url: `oci://${registry.host}/team/wpgate:1`, expected: { image: digest } };
  const byDigest = { url: `oci://${image}`, expected: {} };
  const tagged = await ModuleCache.open(folder).get(byTag, never);
  expect(tagged.sha256).toBe(sha256Of(module));
  expect((await readFile(tagged.path)).equals(module)).toBe(true);
  rmSync(tagged.path);
  expect(await ModuleCache.open(folder).get(byDigest, never)).toEqual(tagged);
  const other = await failureOf(async () => {
    await ModuleCache.open(folder).get({ ...byTag, expected: expectedByIstio(byTag.url, sha256Of(module)) }, never);
  });
  expect(other).toMatchObject({ name: "VerifyError", code: "DIGEST" });
  await registry.stop();
  try {
    expect(await ModuleCache.open(folder).get(byTag, never)).toEqual(tagged);
    const cache = ModuleCache.open(folder, { limits: { backoffMs: 1 } });
    const unknown = { url: byTag.url, expected: { image: "ab".repeat(32) } };
    const gone = await failureOf(async () => await cache.get(unknown, never));
    expect(gone).toMatchObject({ name: "UpstreamError", code: "UNAVAILABLE" });
    expect(gone.message).toContain("ECONNREFUSED");
  } finally {
    await registry.resume();
  }
});

test("an image that is not there", async () => {
  const url = `oci://${registry.host}/team/nothing:1`;
  const expected = { image: "ab".repeat(32) };
  const caught = await failureOf(async () => await ModuleCache.open(folder).get({ url, expected }, never));
  expect(caught).toMatchObject({ name: "UpstreamError", code: "NOT_FOUND" });
});

test("behind a login, with the pull secret of Istio", async () => {
  const image = await registry.pushArtifact("team/wpgate:1", module);
  const gate = await LoginGate.start(registry.host);
  try {
    const url = `oci://${image.replace(registry.host, gate.host)}`;
    const cache = ModuleCache.open(folder);
    const get = async (secret: string): Promise<string> =>
      (await cache.get({ url, expected: {}, pullSecret: secret }, never)).sha256;
    expect(await failureOf(() => get("{}"))).toMatchObject({ code: "FORBIDDEN" });
    expect(await failureOf(() => get(gate.pullSecret("ZXZlOnBhc3M=")))).toMatchObject({ code: "FORBIDDEN" });
    expect(await get(gate.pullSecret())).toBe(sha256Of(module));
  } finally {
    await gate.stop();
  }
});

async function pushImage(to: Registry, name: string, content: Buffer, options: readonly string[]): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "wpgate-plugin-"));
  try {
    await writeFile(join(scratch, "plugin.wasm"), content);
    return await to.pushImage(name, join(scratch, "plugin.wasm"), options);
  } finally {
    await rm(scratch, { recursive: true });
  }
}
