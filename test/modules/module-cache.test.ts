/** What the cache keeps, shares, checks again and throws away. */
import { rmSync, statSync } from "node:fs";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError, LimitError } from "../../xds-proxy/src/errors.ts";
import { ModuleCache, type ModuleLimits } from "../../xds-proxy/src/modules/module-cache.ts";
import { expectedByIstio, type ExpectedDigests } from "../../xds-proxy/src/modules/module-request.ts";
import { failureOf, newFolder, newModule, sha256Of, status, Web } from "./web.ts";

const DAY_MS = 86_400_000;

let folder: string;
let web: Web;
let nowMs: number;
let never: AbortSignal;
const open = (limits: Partial<ModuleLimits> = {}): ModuleCache =>
  ModuleCache.open(join(folder, "modules"), { limits: { backoffMs: 1, ...limits }, now: () => nowMs });
beforeEach(async () => {
  folder = newFolder();
  web = await Web.start();
  nowMs = Date.now();
  never = new AbortController().signal;
});
afterEach(async () => {
  await web.stop();
  rmSync(folder, { recursive: true });
});

/** Published under its own name. */
function publish(module: Buffer): { url: string; expected: ExpectedDigests } {
  const sha256 = sha256Of(module);
  return { url: web.on(`/${sha256.slice(0, 8)}.wasm`, module), expected: { module: sha256 } };
}

test("a second time, and after a restart with nobody there any more, the file is enough", async () => {
  const source = publish(newModule());
  const cache = open();
  const first = await cache.get(source, never);
  expect(await cache.get(source, never)).toEqual(first);
  expect(web.paths).toHaveLength(1);
  web.on(new URL(source.url).pathname, status(500));
  expect(await open().get(source, never)).toEqual(first);
  expect(web.paths).toHaveLength(1);
  expect(statSync(first.path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "modules")).mode & 0o777).toBe(0o700);
  expect(await readdir(join(folder, "modules"))).toEqual([`${first.sha256}.wasm`]);
});

test("a file that was damaged or lost meanwhile is fetched again", async () => {
  const module = newModule();
  const source = publish(module);
  const { path } = await open().get(source, never);
  await writeFile(path, newModule());
  const cache = open();
  await cache.get(source, never);
  expect((await readFile(path)).equals(module)).toBe(true);
  rmSync(path);
  await cache.get(source, never);
  expect((await readFile(path)).equals(module)).toBe(true);
  expect(web.paths).toHaveLength(3);
});

test("all who ask at the same time share one fetch, and one who leaves does not end it", async () => {
  const module = newModule();
  const source = publish(module);
  let answer = (): unknown => undefined;
  const asked = new Promise<void>((resolve) => {
    web.on(new URL(source.url).pathname, (response) => {
      answer = () => response.end(module);
      resolve();
    });
  });
  const cache = open();
  const leaving = new AbortController();
  const waiting = [cache.get(source, never), cache.get(source, never)];
  const left = failureOf(() => cache.get(source, leaving.signal));
  await asked;
  leaving.abort(new Error("left"));
  expect((await left).message).toBe("left");
  answer();
  expect((await Promise.all(waiting)).map(({ sha256 }) => sha256)).toEqual([sha256Of(module), sha256Of(module)]);
  expect(web.paths).toHaveLength(1);
});

test("when the last one leaves, the fetch ends, and the next one begins anew", async () => {
  const module = newModule();
  const source = publish(module);
  const path = new URL(source.url).pathname;
  const leaving = new AbortController();
  const closed = new Promise<void>((resolve) => {
    web.on(path, (response) => {
      response.on("close", resolve);
      leaving.abort(new Error("left"));
    });
  });
  const cache = open();
  expect((await failureOf(() => cache.get(source, leaving.signal))).message).toBe("left");
  expect((await failureOf(() => cache.get(source, leaving.signal))).message).toBe("left");
  await closed;
  web.on(path, module);
  await cache.get(source, never);
  expect(web.paths).toHaveLength(2);
});

test("a number of fetches run at the same time, the others wait", async () => {
  let most = 0;
  const held: (() => void)[] = [];
  const sources = Array.from({ length: 6 }, () => {
    const module = newModule();
    const source = publish(module);
    web.on(new URL(source.url).pathname, (response) => {
      most = Math.max(
        most,
        held.push(() => response.end(module)),
      );
      // Time for a third one, if it does not wait.
      if (held.length === 2)
        setTimeout(() => {
          for (const release of held.splice(0)) release();
        }, 20);
    });
    return source;
  });
  const cache = open({ fetchesMaxCount: 2 });
  await Promise.all(sources.map(async (source) => await cache.get(source, never)));
  expect(most).toBe(2);
});

test("from a file, by address or by path: what is handed out is a copy", async () => {
  const module = newModule();
  const path = join(folder, "my module.wasm");
  await writeFile(path, module);
  const expected = { module: sha256Of(module) };
  for (const url of [path, pathToFileURL(path).href]) {
    await writeFile(path, module);
    const found = await open().get({ url, expected }, never);
    expect(found.path).not.toBe(path);
    await writeFile(path, newModule());
    expect((await readFile(found.path)).equals(module)).toBe(true);
  }
});

test("without a digest nothing is fetched, and an image's digest is not a module's", async () => {
  const { url } = publish(newModule());
  const refused: readonly (readonly [string, ExpectedDigests, string])[] = [
    [url, expectedByIstio(url, ""), "nothing says which digest it must have"],
    [url, { image: "ab".repeat(32) }, "an image's digest, and no image"],
    [url, { module: "AB".repeat(32) }, "its digest is not 64 hexadecimal digits"],
    [url, { module: "../../../etc/passwd" }, "its digest is not 64 hexadecimal digits"],
    ["oci://127.0.0.1/a:1", {}, "nothing says which digest it must have"],
  ];
  for (const [from, expected, message] of refused) {
    const caught = await failureOf(() => open().get({ url: from, expected }, never));
    expect(caught).toMatchObject({ name: "VerifyError", code: "DIGEST", message: `module ${from}: ${message}` });
  }
  expect(web.requests).toEqual([]);
  expect(expectedByIstio("oci://r/a:1", "aa")).toEqual({ image: "aa" });
  expect(expectedByIstio("https://r/a", "aa")).toEqual({ module: "aa" });
});

test("modules that nobody used for a week are removed, and what a killed process left behind", async () => {
  const [old, used] = [publish(newModule()), publish(newModule())];
  const cache = open();
  await cache.get(old, never);
  await cache.get(used, never);
  const left = join(folder, "modules", "ab.wasm.0123.tmp");
  await writeFile(left, "");
  await utimes(left, new Date(nowMs), new Date(nowMs));
  nowMs += 4 * DAY_MS;
  await cache.get(used, never);
  nowMs += 4 * DAY_MS;
  await cache.evict();
  expect(await readdir(join(folder, "modules"))).toEqual([`${used.expected.module ?? ""}.wasm`]);
  await cache.get(old, never);
  expect(web.paths).toHaveLength(3);
});

test("the least recently used make room, those in use do not", async () => {
  const cache = open({ totalMaxBytes: 2_500 });
  const sources = [publish(newModule()), publish(newModule()), publish(newModule())];
  const names = (count: number): readonly string[] =>
    sources
      .slice(-count)
      .map(({ expected }) => `${expected.module ?? ""}.wasm`)
      .toSorted();
  const [first = publish(newModule()), second = first, third = first] = sources;
  await cache.get(first, never);
  nowMs += 60_000;
  await cache.get(second, never);
  const caught = await failureOf(() => cache.get(third, never));
  expect(caught).toBeInstanceOf(LimitError);
  expect(caught.message).toBe(`module ${third.url}: the modules in use and this one have more than 2500 bytes`);
  nowMs += 9.5 * 60_000;
  await cache.get(third, never);
  expect((await readdir(join(folder, "modules"))).toSorted()).toEqual(names(2));
});

test("a folder that cannot be made", async () => {
  await writeFile(join(folder, "modules"), "");
  expect(() => open()).toThrow(ConfigError);
  expect(() => open()).toThrow(`${join(folder, "modules")}: cannot be made (EEXIST)`);
});
