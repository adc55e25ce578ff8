/** The commands that hand on: wasmplugin, filter pin, filter env. */
import { createHash, createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { pinOf } from "../../xds-proxy/src/pin/pin-module.ts";
import { Cli, policyYaml } from "./harness.ts";

let cli: Cli;
beforeEach(async () => {
  cli = new Cli();
  await cli.init();
  cli.write("a.yaml", policyYaml("a"));
  await cli.good("sign", "-C", "team-a", "a.yaml");
});
afterEach(() => {
  cli.remove();
});

const BUNDLE = "team-a/bundle.json";
const SHA256 = "ab".repeat(32);

describe("wasmplugin", () => {
  const wasmplugin = async (...argv: readonly string[]): ReturnType<Cli["run"]> =>
    await cli.run(["wasmplugin", BUNDLE, ...argv]);

  test("is what Istio takes", async () => {
    const { stdout } = await wasmplugin("--url", "oci://r/w:1", "--sha256", SHA256, "--selector", "app=shop");
    expect(parse(stdout)).toEqual({
      apiVersion: "extensions.istio.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name: "wpgate", namespace: "team-a" },
      spec: {
        selector: { matchLabels: { app: "shop" } },
        url: "oci://r/w:1",
        sha256: SHA256,
        phase: "AUTHZ",
        failStrategy: "FAIL_RELOAD",
        match: [{ mode: "SERVER" }],
        pluginConfig: JSON.parse(cli.read(BUNDLE)) as unknown,
      },
    });
  });

  test("with the recipient's key from the proxy's environment once something is sealed", async () => {
    await cli.good("keygen", "--recipient", "r.pem");
    await cli.good("seal", "-C", "team-a", "a.yaml", "--for", "r.recipient.json");
    const { stdout } = await wasmplugin("--url", "oci://r/w:1", "--sha256", SHA256);
    expect(parse(stdout)).toMatchObject({
      spec: { vmConfig: { env: [{ name: "WPGATE_RECIPIENT", valueFrom: "HOST" }] } },
    });
  });

  test("for gateways, as JSON, with the digest of a module", async () => {
    cli.write("m.wasm", "module");
    const { stdout } = await wasmplugin("--url", "file:///w", "--module", "m.wasm", "--mode", "CLIENT", "-o", "json");
    const sha256 = createHash("sha256").update("module").digest("hex");
    expect(JSON.parse(stdout)).toMatchObject({ spec: { sha256, match: [{ mode: "CLIENT" }] } });
  });

  test("the owner's part alone", async () => {
    const { stdout } = await wasmplugin("--content", "--namespace", "team-b", "-o", "json");
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: "extensions.istio.io/v1alpha1",
      kind: "WasmPlugin",
      metadata: { name: "wpgate", namespace: "team-b" },
      spec: { pluginConfig: JSON.parse(cli.read(BUNDLE)) as unknown },
    });
  });

  test("an image by its own digest, which its address may end with", async () => {
    const url = `oci://r:5000/w@sha256:${SHA256}`;
    for (const more of [[], ["--sha256", SHA256]])
      expect(parse((await wasmplugin("--url", url, ...more)).stdout)).toMatchObject({ spec: { url, sha256: SHA256 } });
  });

  test.each([
    [
      "a failure policy that lets pass",
      ["--url", "oci://r/w", "--sha256", SHA256, "--fail-strategy", "FAIL_OPEN"],
      "FAIL_RELOAD, FAIL_CLOSE",
    ],
    ["no module", ["--sha256", SHA256], "--url: is missing"],
    ["content and a setting", ["--content", "--mode", "CLIENT"], "cannot be used with"],
    ["no digest", ["--url", "https://r/w"], "--sha256: is missing"],
    ["no digest of the image", ["--url", "oci://r/w:1"], "--url: has no digest of the image"],
    [
      "the module's digest for an image",
      ["--url", "oci://r/w:1", "--module", BUNDLE],
      "--module: is not what the digest",
    ],
    ["two digests", ["--url", `oci://r/w@sha256:${SHA256}`, "--sha256", "cd".repeat(32)], "is not the digest in --url"],
    ["half a digest", ["--url", "oci://r/w", "--sha256", "ab"], "64 digits"],
    ["another scheme", ["--url", "ftp://r/w", "--sha256", SHA256], "must be an oci://"],
  ])("not with %s", async (_, argv, message) => {
    const { code, stdout, stderr } = await wasmplugin(...argv);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(message)]);
  });

  test("not without a set", async () => {
    cli.write("bare.json", JSON.stringify({ wpgate: 1, sets: [{ roots: cli.bundle().roots, envelopes: [] }] }));
    const { code, stderr } = await cli.run(["wasmplugin", "bare.json", "--url", "oci://r/w", "--sha256", SHA256]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("would be refused by every consumer")]);
  });

  test("warns at 200 KiB and refuses 1 MiB", async () => {
    const grown = (bytes: number): void => {
      const { envelopes, ...rest } = cli.bundle();
      cli.write(
        "big.json",
        JSON.stringify({ wpgate: 1, sets: [{ ...rest, envelopes: [...envelopes, "A".repeat(bytes)] }] }),
      );
    };
    const run = async (): ReturnType<Cli["run"]> =>
      await cli.run(["wasmplugin", "big.json", "--url", "oci://r/w", "--sha256", SHA256]);
    grown(100);
    expect((await run()).stderr).toBe("");
    grown(200 * 1024);
    expect(await run()).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("warning: the object has") as string,
    });
    grown(1024 * 1024);
    expect(await run()).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("than the 1048576") as string,
    });
  });
});

describe("filter env", () => {
  test("is the private key and the auth secret for the filter, not for the screen", async () => {
    await cli.good("keygen", "--recipient", "r.pem");
    await cli.good("filter", "env", "r.pem", "--out", "r.env");
    const bytes = Buffer.from(cli.read("r.env").replace("WPGATE_RECIPIENT=", ""), "base64url");
    const { d } = createPrivateKey(cli.read("r.pem")).export({ format: "jwk" });
    const { auth } = JSON.parse(cli.read("r.recipient.json")) as { auth: string };
    expect([bytes.subarray(0, 32).toString("base64url"), bytes.subarray(32).toString("base64url")]).toEqual([d, auth]);
    expect(await cli.good("filter", "env", "r.pem")).toBe(cli.read("r.env"));
    expect((await cli.run(["filter", "env", "r.pem"], { terminal: true })).code).toBe(2);
    expect((await cli.run(["filter", "env", "team-a/keys/cfg.pem"])).code).toBe(2);
  });
});

describe("filter pin", () => {
  test("writes the pin into a copy and prints its digest", async () => {
    const shipped = readFileSync(projectFile("filter/build/wpgate.wasm"));
    const printed = await cli.good("filter", "pin", "--pin", "pin.json", "--out", "pinned.wasm");
    const pinned = readFileSync(cli.path("pinned.wasm"));
    expect(printed).toBe(`${createHash("sha256").update(pinned).digest("hex")}\n`);
    expect(pinned).toHaveLength(shipped.length);
    expect(pinOf(pinned)).toBe(cli.read("pin.json").trim());
    expect(
      (await cli.run(["filter", "pin", "pinned.wasm", "--pin", "pin.json", "--out", "again.wasm"])).stderr,
    ).toContain("its pin was replaced");
  });

  test("refuses what is not the filter", async () => {
    cli.write("x.wasm", "x");
    expect((await cli.run(["filter", "pin", "x.wasm", "--pin", "pin.json", "--out", "y.wasm"])).code).toBe(1);
  });
});
