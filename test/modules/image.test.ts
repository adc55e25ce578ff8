/** Images as a registry could give them, right and wrong; test/istio/module-registry.test.ts has the real registry. */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LimitError, UpstreamError, VerifyError } from "../../xds-proxy/src/errors.ts";
import { parseImageReference } from "../../xds-proxy/src/modules/image-reference.ts";
import { ModuleCache, type ModuleLimits } from "../../xds-proxy/src/modules/module-cache.ts";
import type { CachedModule, ModuleRequest } from "../../xds-proxy/src/modules/module-request.ts";
import { failureOf, newFolder, newModule, sha256Of, status, Web, type Answer } from "./web.ts";

const MODULE = "application/vnd.module.wasm.content.layer.v1+wasm";
const ARCHIVE = "application/vnd.oci.image.layer.v1.tar+gzip";
const SECRET = "hunter2hunter2";

let folder: string;
let web: Web;
let module: Buffer;
beforeEach(async () => {
  folder = newFolder();
  web = await Web.start();
  module = newModule();
});
afterEach(async () => {
  await web.stop();
  rmSync(folder, { recursive: true });
});

/** @returns its digest */
function blob(content: Uint8Array, answer: Answer | Uint8Array = content): string {
  const digest = `sha256:${sha256Of(content)}`;
  web.on(`/v2/wpgate/blobs/${digest}`, answer);
  return digest;
}

/** Under this tag and under its digest. @returns its digest, hex */
function manifest(content: unknown, tag = "1"): string {
  const bytes = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  web.on(`/v2/wpgate/manifests/${tag}`, bytes);
  web.on(`/v2/wpgate/manifests/sha256:${sha256Of(bytes)}`, bytes);
  return sha256Of(bytes);
}

const artifact = (mediaType = MODULE, content: Uint8Array = module): unknown => ({
  schemaVersion: 2,
  layers: [{ mediaType, digest: blob(content), size: content.length }],
});

async function get(
  image: string,
  request: Partial<ModuleRequest> = {},
  limits: Partial<ModuleLimits> = {},
): Promise<CachedModule> {
  const cache = ModuleCache.open(folder, { limits: { backoffMs: 1, requestTimeoutMs: 5_000, ...limits } });
  const url = `oci://${web.host}/wpgate:1`;
  return await cache.get({ url, expected: { image }, ...request }, new AbortController().signal);
}

test("the image's digest is asked for, and the module's is told; after a restart both lead to the file", async () => {
  const image = manifest(artifact());
  const { path, sha256 } = await get(image);
  expect(sha256).toBe(sha256Of(module));
  expect(image).not.toBe(sha256);
  expect((await readFile(path)).equals(module)).toBe(true);
  const count = web.requests.length;
  expect(await get(image)).toEqual({ path, sha256 });
  expect(await get(image, { expected: { module: sha256 } })).toEqual({ path, sha256 });
  expect(await get(image, { url: `oci://${web.host}/wpgate@sha256:${image}`, expected: {} })).toEqual({ path, sha256 });
  expect(web.requests).toHaveLength(count);
});

test("another image under the tag is refused before its layers are fetched, another module after it", async () => {
  const image = manifest(artifact());
  const wrong = await failureOf(() => get("ab".repeat(32)));
  expect(wrong).toBeInstanceOf(VerifyError);
  expect(wrong).toMatchObject({
    ...{ code: "DIGEST", where: `oci://${web.host}/wpgate:1` },
    message: `module oci://${web.host}/wpgate:1: the image has the digest ${image}, not ${"ab".repeat(32)}`,
  });
  expect(web.paths).toEqual(["/v2/wpgate/manifests/1"]);
  const other = await failureOf(() => get(image, { expected: { image, module: "cd".repeat(32) } }));
  expect(other.message).toContain(`the module has the digest ${sha256Of(module)}, not ${"cd".repeat(32)}`);
  // What was refused is not remembered as this image's module.
  expect(await failureOf(() => get(image, { expected: { image, module: "cd".repeat(32) } }))).toMatchObject({
    code: "DIGEST",
  });
});

test("manifest and layer must be what their digests say", async () => {
  const forged = "ab".repeat(32);
  web.on(`/v2/wpgate/manifests/sha256:${forged}`, JSON.stringify(artifact()));
  const url = `oci://${web.host}/wpgate@sha256:${forged}`;
  expect(await failureOf(() => get(forged, { url }))).toMatchObject({ code: "DIGEST" });
  const good = manifest(artifact());
  blob(module, newModule());
  const caught = await failureOf(() => get(good));
  expect(caught).toMatchObject({ name: "VerifyError", code: "DIGEST" });
  expect(caught.message).toContain(`/v2/wpgate/blobs/sha256:${sha256Of(module)} has the digest`);
});

test("of an index the image for linux/amd64 is taken; it counts by its own digest or by the index's", async () => {
  const other = manifest(artifact(MODULE, newModule()), "arm");
  const image = manifest(artifact(), "amd");
  const entry = (digest: string, architecture: string): unknown => ({
    ...{ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${digest}`, size: 1 },
    platform: { os: "linux", architecture },
  });
  const index = manifest({ schemaVersion: 2, manifests: [entry(other, "arm64"), entry(image, "amd64")] });
  for (const expected of [image, index]) expect((await get(expected)).sha256).toBe(sha256Of(module));
  expect(await failureOf(() => get(other))).toMatchObject({ code: "DIGEST" });
  const none = manifest({ schemaVersion: 2, manifests: [entry(other, "arm64"), entry(other, "s390x")] });
  expect((await failureOf(() => get(none))).message).toContain("has no image for linux/amd64");
});

test.each([
  ["not JSON", "{", "has a manifest that is no JSON object"],
  ["a list", [], "has a manifest that is no JSON object"],
  ["no layers", {}, "has a manifest without layers"],
  ["empty layers", { layers: [] }, "has no layer with a module"],
  ["layers of text", { layers: ["x"] }, "has a manifest whose descriptors are malformed"],
  [
    "a digest that is a path",
    { layers: [{ mediaType: MODULE, digest: "../../x" }] },
    "has a manifest whose descriptors are malformed",
  ],
  [
    "a layer of another kind",
    { layers: [{ mediaType: "text/plain", digest: `sha256:${"ab".repeat(32)}` }] },
    "has no layer with a module",
  ],
] as const)("a manifest with %s", async (_what, content, message) => {
  const image = manifest(content);
  const caught = await failureOf(() => get(image));
  expect(caught).toBeInstanceOf(UpstreamError);
  expect(caught).toMatchObject({
    code: "PROTOCOL",
    message: `module oci://${web.host}/wpgate:1: the image ${message}`,
  });
});

test("a manifest, a layer and what is in it have bounds", async () => {
  const long = manifest(`{"layers":[]${" ".repeat(5_000)}}`);
  expect(await failureOf(() => get(long, {}, { manifestMaxBytes: 5_000 }))).toBeInstanceOf(LimitError);
  const big = manifest(artifact());
  expect(await failureOf(() => get(big, {}, { moduleMaxBytes: 500 }))).toBeInstanceOf(LimitError);
  const bomb = manifest(artifact(ARCHIVE, gzipSync(Buffer.alloc(3_000_000))));
  const caught = await failureOf(() => get(bomb, {}, { moduleMaxBytes: 500 }));
  expect(caught).toBeInstanceOf(LimitError);
  expect(caught.message).toContain("uncompressed longer than");
});

describe("a registry that asks for a login", () => {
  const docker = (host: string): string =>
    JSON.stringify({ auths: { [host]: { auth: Buffer.from(`user:${SECRET}`).toString("base64") } } });

  function guardWith(challenge: string, authorization: string): string {
    const [bytes, layer] = [Buffer.from(JSON.stringify(artifact())), `sha256:${sha256Of(module)}`];
    const only =
      (content: Uint8Array): Answer =>
      (response, request) => {
        if (request.headers.authorization === authorization) response.end(content);
        else response.writeHead(401, { "www-authenticate": challenge }).end();
      };
    web.on("/v2/wpgate/manifests/1", only(bytes));
    web.on(`/v2/wpgate/blobs/${layer}`, only(module));
    return sha256Of(bytes);
  }

  test("gives a token for the pull secret, once", async () => {
    const realm = web.on("/token", JSON.stringify({ token: "t0ken" }));
    const image = guardWith(`Bearer realm="${realm}",service="reg",scope="ignored"`, "Bearer t0ken");
    await get(image, { pullSecret: docker(web.host) });
    expect(web.paths).toEqual([
      "/v2/wpgate/manifests/1",
      "/token?service=reg&scope=repository%3Awpgate%3Apull",
      "/v2/wpgate/manifests/1",
      `/v2/wpgate/blobs/sha256:${sha256Of(module)}`,
    ]);
    expect(web.requests[0]?.authorization).toBeUndefined();
    expect(web.requests[1]?.authorization).toBe(`Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`);
  });

  test("gives one to everybody, or takes user and password themselves", async () => {
    const realm = web.on("/token", JSON.stringify({ access_token: "t0ken" }));
    await get(guardWith(`Bearer realm="${realm}"`, "Bearer t0ken"), { pullSecret: docker("another.example") });
    expect(web.requests[1]?.authorization).toBeUndefined();
    const basic = `Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`;
    module = newModule();
    const named = JSON.stringify({ auths: { [`http://${web.host}/v2/`]: { username: "user", password: SECRET } } });
    await get(guardWith('Basic realm="reg"', basic), { pullSecret: named });
  });

  test("and sends layers from elsewhere gets no credentials there", async () => {
    const elsewhere = await Web.start();
    const realm = web.on("/token", JSON.stringify({ token: "t0ken" }));
    const image = guardWith(`Bearer realm="${realm}"`, "Bearer t0ken");
    web.on(`/v2/wpgate/blobs/sha256:${sha256Of(module)}`, status(307, { location: elsewhere.on("/layer", module) }));
    await get(image, { pullSecret: docker(web.host) });
    expect(elsewhere.requests).toEqual([{ path: "/layer", authorization: undefined }]);
    await elsewhere.stop();
  });

  test.each([
    ["no pull secret for it", undefined, "LOGIN"],
    ["one for another", docker("another.example"), "LOGIN"],
    ["null, which Istio sends for none", "null", "LOGIN"],
    ["a wrong one", undefined, "FORBIDDEN"],
    ["one that is no Docker configuration", `{"auths":"${SECRET}"`, "LOGIN"],
    ["one of another form", `["${SECRET}"]`, "LOGIN"],
  ] as const)("%s: refused, without the secret in any message", async (what, pullSecret, code) => {
    const image = guardWith('Basic realm="reg"', "Basic other");
    const secret = what === "a wrong one" ? docker(web.host) : pullSecret;
    const caught = await failureOf(() => get(image, secret === undefined ? {} : { pullSecret: secret }));
    expect(caught).toMatchObject({ name: "UpstreamError", code });
    const said: string[] = [];
    for (let error: unknown = caught; error instanceof Error; error = error.cause) said.push(error.stack ?? "");
    expect(said.join("\n")).not.toContain(SECRET);
    expect(said.join("\n")).not.toContain(Buffer.from(`user:${SECRET}`).toString("base64"));
  });

  test.each([
    "file:///etc/passwd",
    "http://user@127.0.0.1/token",
    "http://169.254.169.254/latest",
    "http://10.0.0.1/token",
    "http://172.31.0.1/token",
    "http://[::1]/token",
    "http://[fd00::1]/token",
    "http://localhost/token",
    "http://metadata.google.internal/token",
    "",
  ])("is not followed to %s", async (realm) => {
    const image = guardWith(`Bearer realm="${realm}"`, "Bearer t0ken");
    const caught = await failureOf(() => get(image, { pullSecret: docker(web.host) }));
    expect(caught).toMatchObject({ code: "LOGIN" });
    expect(caught.message).toContain("asks to log in at a place that is not allowed");
    expect(web.paths).toEqual(["/v2/wpgate/manifests/1"]);
  });

  test.each(["{}", "not JSON", JSON.stringify({ token: "a b\r\nx: y" })])("and answers with %s", async (answer) => {
    const realm = web.on("/token", answer);
    const image = guardWith(`Bearer realm="${realm}"`, "Bearer t0ken");
    const caught = await failureOf(() => get(image));
    expect(caught).toMatchObject({ code: "LOGIN" });
    expect(caught.message).toContain("the login gives no token");
  });
});

const DIGEST = "ab".repeat(32);
const HUB = { host: "registry-1.docker.io", registry: "https://index.docker.io/v1/" };

test.each([
  ["ghcr.io/a/b:v1", { host: "ghcr.io", repository: "a/b", reference: "v1", sha256: undefined }],
  ["ghcr.io/a/b", { host: "ghcr.io", repository: "a/b", reference: "latest" }],
  ["localhost/a", { host: "localhost", repository: "a", reference: "latest" }],
  ["127.0.0.1:5000/a:1", { host: "127.0.0.1:5000", repository: "a", reference: "1" }],
  ["[::1]:5000/a:1", { host: "[::1]:5000", repository: "a", reference: "1" }],
  [
    `r.example:443/a-b/c__d.e:1@sha256:${DIGEST}`,
    { repository: "a-b/c__d.e", reference: `sha256:${DIGEST}`, sha256: DIGEST },
  ],
  ["team/filter:1", { ...HUB, repository: "team/filter", reference: "1" }],
  ["docker.io/team/filter", { ...HUB, repository: "team/filter" }],
  ["filter", { ...HUB, repository: "library/filter" }],
] as const)("the image %s", (name, reference) => {
  expect(parseImageReference(`oci://${name}`)).toMatchObject(reference);
});

test.each([
  "",
  "ghcr.io/",
  "ghcr.io/A",
  "ghcr.io/a/../b",
  "ghcr.io/a:",
  "ghcr.io/a@sha256:ab",
  `ghcr.io/a@sha512:${DIGEST}`,
  "ghcr.io/a?x=y",
  "ghcr.io/a#x",
  "user:pw@ghcr.io/a",
  "ghcr.io:x/a",
  `${"a-".repeat(20)}/`,
])("oci://%s is no name of an image", (name) => {
  expect(() => parseImageReference(`oci://${name}`)).toThrow("not the name of an image");
});
