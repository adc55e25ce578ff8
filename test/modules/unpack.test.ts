/** Archives of the real tar in its formats, and what is no archive, or one that would fill the memory. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LimitError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import { isWasm, pluginOfLayer, unbox } from "../../xds-proxy/src/modules/unpack.ts";
import { failureOf, newFolder, newModule } from "./web.ts";

const MAX_BYTES = 1_000_000;

let folder: string;
let module: Buffer;
beforeEach(() => {
  folder = newFolder();
  module = newModule(12_345);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** An archive of these files, by the tar of this machine. */
function tar(files: Readonly<Record<string, Uint8Array>>, options: readonly string[] = []): Buffer {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return execFileSync("tar", ["-C", folder, ...options, "-cf", "-", ...Object.keys(files)], { maxBuffer: 64e6 });
}

test.each(["ustar", "gnu", "posix", "v7", "oldgnu"])(
  "plugin.wasm is found in an archive of the format %s",
  async (format) => {
    const long = `${"d".repeat(60)}/${"e".repeat(30)}/${format === "v7" || format === "ustar" ? "f" : "f".repeat(120)}`;
    const layer = tar({ "a.txt": Buffer.alloc(513), [long]: module.subarray(9), "plugin.wasm": module }, [
      `--format=${format}`,
    ]);
    expect(Buffer.from(await pluginOfLayer(gzipSync(layer), MAX_BYTES)).equals(module)).toBe(true);
  },
);

test.each([["./plugin.wasm"], ["some/folder/plugin.wasm"]])("as %s too, as istio-agent does", async (name) => {
  const layer = gzipSync(tar({ [name]: module }));
  expect(Buffer.from(await pluginOfLayer(layer, MAX_BYTES)).equals(module)).toBe(true);
});

test("neither a link nor a folder of that name is it, nor a name that only ends so", async () => {
  mkdirSync(join(folder, "plugin.wasm"));
  execFileSync("ln", ["-s", "/etc/passwd", join(folder, "link")]);
  const layer = execFileSync("tar", [
    "-C",
    folder,
    "--transform=s/^link$/plugin.wasm/",
    "-cf",
    "-",
    "plugin.wasm",
    "link",
  ]);
  const other = tar({ "my-plugin.wasm": module });
  for (const archive of [layer, other]) {
    const caught = await failureOf(() => pluginOfLayer(gzipSync(archive), MAX_BYTES));
    expect(caught).toMatchObject({ name: "UpstreamError", code: "PROTOCOL", message: "no plugin.wasm in the layer" });
  }
});

test("cut anywhere it is refused or, after the module, still whole", async () => {
  const archive = tar({ "plugin.wasm": module }, ["--format=ustar"]);
  const end = 512 + module.length;
  for (let length = 0; length < archive.length; length += 97) {
    const found = await pluginOfLayer(gzipSync(archive.subarray(0, length)), MAX_BYTES).catch(
      (error: unknown) => error,
    );
    if (length < end) expect(found, String(length)).toBeInstanceOf(UpstreamError);
    else expect(Buffer.from(found as Uint8Array).equals(module), String(length)).toBe(true);
  }
  const layer = gzipSync(archive);
  for (const length of [0, 1, 9, layer.length / 2, layer.length - 1])
    expect(await failureOf(() => pluginOfLayer(layer.subarray(0, length), MAX_BYTES))).toMatchObject({
      code: "PROTOCOL",
    });
});

test("a compression bomb stops at the bound", async () => {
  const bomb = gzipSync(Buffer.alloc(64_000_000), { level: 9 });
  expect(bomb.length).toBeLessThan(MAX_BYTES / 10);
  const before = process.memoryUsage().arrayBuffers;
  for (const unpack of [pluginOfLayer, unbox]) {
    const caught = await failureOf(() => unpack(bomb, MAX_BYTES));
    expect(caught).toBeInstanceOf(LimitError);
    expect(caught.message).toBe("uncompressed longer than 1000000 bytes");
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * MAX_BYTES);
});

test("an archive of entries without end, and sizes that are none", async () => {
  const header = tar({ empty: Buffer.alloc(0) }, ["--format=ustar"]).subarray(0, 512);
  const many = gzipSync(Buffer.concat(Array<Buffer>(5_000).fill(header)));
  expect(await failureOf(() => pluginOfLayer(many, 5_000_000))).toBeInstanceOf(LimitError);
  for (const size of ["77777777777", "-0000000001", "abc", "", "\x80\0\0\0\0\0\0\0\0\0\0\x01"]) {
    const archive = Buffer.from(header);
    archive.fill(0, 124, 136).write(size, 124, "latin1");
    const caught = await failureOf(() => pluginOfLayer(gzipSync(archive), MAX_BYTES));
    expect(caught, size).toMatchObject({ code: "PROTOCOL", message: "not a whole tar archive" });
  }
});

test("over HTTP a module, a compressed one, an archive and a compressed archive are the same", async () => {
  const archive = tar({ "any-name.wasm": module });
  for (const bytes of [module, gzipSync(module), archive, gzipSync(archive)])
    expect(Buffer.from(await unbox(bytes, MAX_BYTES)).equals(module)).toBe(true);
  const text = Buffer.from("hello");
  expect(await unbox(text, MAX_BYTES)).toBe(text);
  expect([module, text, Buffer.alloc(3)].map((bytes) => isWasm(bytes))).toEqual([true, false, false]);
});
