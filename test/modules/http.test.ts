/** Modules from web servers that are slow, wrong, endless or elsewhere. */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LimitError, UpstreamError, VerifyError } from "../../xds-proxy/src/errors.ts";
import { ModuleCache, type ModuleLimits } from "../../xds-proxy/src/modules/module-cache.ts";
import type { CachedModule } from "../../xds-proxy/src/modules/module-request.ts";
import { failureOf, inTurn, newFolder, newModule, sha256Of, status, Web } from "./web.ts";

const FAST: Partial<ModuleLimits> = { backoffMs: 1, requestTimeoutMs: 2_000 };

let folder: string;
let web: Web;
let module: Buffer;
let never: AbortSignal;
beforeEach(async () => {
  folder = newFolder();
  web = await Web.start();
  module = newModule();
  never = new AbortController().signal;
});
afterEach(async () => {
  await web.stop();
  rmSync(folder, { recursive: true });
});

async function get(url: string, limits: Partial<ModuleLimits> = {}, sha256 = sha256Of(module)): Promise<CachedModule> {
  const cache = ModuleCache.open(folder, { limits: { ...FAST, ...limits } });
  return await cache.get({ url, expected: { module: sha256 } }, never);
}

test("a module is fetched, and its file has its digest for a name and its bytes for content", async () => {
  const { path, sha256 } = await get(web.on("/m.wasm", module));
  expect(sha256).toBe(sha256Of(module));
  expect(path).toBe(`${folder}/${sha256}.wasm`);
  expect((await readFile(path)).equals(module)).toBe(true);
});

test("one that is compressed counts by what is inside, as with istio-agent", async () => {
  const { path } = await get(web.on("/m.wasm.gz", gzipSync(module)));
  expect((await readFile(path)).equals(module)).toBe(true);
});

test("another digest is refused once, with address and both digests", async () => {
  const url = web.on("/m.wasm", newModule());
  const caught = await failureOf(() => get(url));
  expect(caught).toBeInstanceOf(VerifyError);
  expect(caught).toMatchObject({ code: "DIGEST", where: url });
  expect(caught.message).toMatch(
    new RegExp(`^module ${url}: the module has the digest [0-9a-f]{64}, not ${sha256Of(module)}$`),
  );
  expect(web.paths).toEqual(["/m.wasm"]);
});

test("what is no module is refused, though its digest is right", async () => {
  const page = Buffer.from("<html>");
  const caught = await failureOf(() => get(web.on("/m.wasm", page), {}, sha256Of(page)));
  expect(caught).toMatchObject({ code: "PROTOCOL" });
  expect(caught.message).toContain("what is there is not a Wasm module");
});

test.each([
  ["503", status(503)],
  ["429", status(429)],
  ["a connection that breaks", (response: { destroy(): unknown }) => response.destroy()],
] as const)("%s is tried three times, and what comes then counts", async (_what, bad) => {
  const url = web.on(
    "/m.wasm",
    inTurn(bad, bad, (response) => response.end(module)),
  );
  expect((await get(url)).sha256).toBe(sha256Of(module));
  expect(web.paths).toHaveLength(3);
  const other = web.on("/never.wasm", bad);
  expect(await failureOf(() => get(other, {}, "00".repeat(32)))).toMatchObject({ code: "UNAVAILABLE", where: other });
  expect(web.paths).toHaveLength(6);
});

test.each([
  [404, "NOT_FOUND"],
  [401, "FORBIDDEN"],
  [403, "FORBIDDEN"],
  [204, "PROTOCOL"],
  [400, "PROTOCOL"],
] as const)("%i is final", async (code, error) => {
  const url = web.on("/m.wasm", status(code));
  const caught = await failureOf(() => get(url));
  expect(caught).toBeInstanceOf(UpstreamError);
  expect(caught).toMatchObject({ code: error, message: `module ${url}: ${url}: answers with status ${code}` });
  expect(web.paths).toHaveLength(1);
});

test("a server that does not answer, or not to the end, is late", async () => {
  const silent = web.on("/silent", () => undefined);
  const stuck = web.on("/stuck", (response) => response.writeHead(200).write("\0asm"));
  const limits = { requestTimeoutMs: 50, attemptsMaxCount: 2 };
  for (const url of [silent, stuck])
    expect(await failureOf(() => get(url, limits))).toMatchObject({
      name: "UpstreamError",
      code: "TIMEOUT",
      where: url,
    });
  expect(web.paths).toEqual(["/silent", "/silent", "/stuck", "/stuck"]);
});

test.each([
  ["announced", (response) => response.writeHead(200, { "content-length": "5000" }).write("x")],
  ["endless", (response) => response.write(Buffer.alloc(5_000))],
  [
    "compressed on the way",
    (response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(1e6))),
  ],
  ["compressed itself", (response) => response.end(gzipSync(Buffer.alloc(1e6)))],
] as const satisfies readonly (readonly [string, Parameters<Web["on"]>[1]])[])(
  "%s: too long is refused before it is held",
  async (_what, answer) => {
    const caught = await failureOf(() => get(web.on("/m.wasm", answer), { moduleMaxBytes: 4_000 }));
    expect(caught).toBeInstanceOf(LimitError);
    expect(caught.message).toMatch(/longer than 4000 bytes$/);
    expect(web.paths).toHaveLength(1);
  },
);

test("redirects are followed, five of them, and never to another scheme", async () => {
  web.on("/m.wasm", module);
  for (let i = 1; i <= 6; i++) web.on(`/${i}`, status(302, { location: i === 1 ? "/m.wasm" : `/${i - 1}` }));
  await get(`${web.origin}/5`);
  rmSync(folder, { recursive: true });
  const caught = await failureOf(() => get(`${web.origin}/6`));
  expect(caught.message).toContain("more than 5 redirects");
  for (const location of ["file:///etc/passwd", "http://user:pw@127.0.0.1/", "http://"]) {
    const refused = await failureOf(() => get(web.on("/away", status(302, { location }))));
    expect(refused).toMatchObject({ code: "PROTOCOL" });
    expect(refused.message).toContain("redirects to");
    expect(refused.message).not.toContain("pw");
  }
});

test("over TLS: a certificate that nobody vouches for is refused, and so is a redirect to where there is no TLS", async () => {
  const safe = await Web.start({ tls: true });
  const limits = { attemptsMaxCount: 1 };
  try {
    const url = safe.on("/m.wasm", status(302, { location: web.on("/m.wasm", module) }));
    const untrusted = await failureOf(() => get(url, limits));
    expect(untrusted).toMatchObject({ code: "UNAVAILABLE" });
    expect(untrusted.message).toContain("certificate");
    expect(safe.requests).toEqual([]);
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    const caught = await failureOf(() => get(url, limits));
    expect(caught).toMatchObject({ code: "PROTOCOL", message: `module ${url}: ${url}: redirects to one without TLS` });
    expect(web.requests).toEqual([]);
    await get(safe.on("/good.wasm", module));
  } finally {
    delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    await safe.stop();
  }
});

test.each([
  ["ftp://127.0.0.1/m.wasm", "PROTOCOL"],
  ["m.wasm", "PROTOCOL"],
  ["http://user:hunter2@127.0.0.1/m.wasm", "PROTOCOL"],
  ["http://127.0.0.1/m\n.wasm", "PROTOCOL"],
  ["file://elsewhere/m.wasm", "PROTOCOL"],
  [`http://127.0.0.1/${"x".repeat(3_000)}`, "PROTOCOL"],
  ["file:///nowhere/m.wasm", "NOT_FOUND"],
  ["/nowhere/m.wasm", "NOT_FOUND"],
  ["/dev/zero", "PROTOCOL"],
  // Says that it has no size.
  ["/proc/version", "PROTOCOL"],
] as const)("%s is an address that gives nothing", async (url, code) => {
  const caught = await failureOf(() => get(url, {}, url.startsWith("/proc") ? sha256Of(Buffer.alloc(0)) : undefined));
  expect(caught).toMatchObject({ name: "UpstreamError", code });
  expect(caught.message).not.toContain("hunter2");
  expect(caught.message.length).toBeLessThan(400);
});

test("the query of an address, which may be a signature, is in no message", async () => {
  const caught = await failureOf(() => get(`${web.origin}/gone.wasm?X-Signature=hunter2`));
  expect(caught.message).toContain("/gone.wasm?…");
  expect(`${caught.message} ${String(caught.cause)}`).not.toContain("hunter2");
});
