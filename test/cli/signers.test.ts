/** Signing outside: what a program may answer, and that it is checked. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { decodeSignature, ExecSigner } from "../../xds-proxy/src/cli/exec-signer.ts";
import { Cli, policyYaml } from "./harness.ts";

describe("decodeSignature", () => {
  const raw = SigningKey.generate().sign(Buffer.from("x"));
  const der = (...parts: readonly number[]): Uint8Array => Uint8Array.of(0x30, parts.length, ...parts);

  test.each([
    ["any", raw],
    ["some that begin with the octet of a DER sequence", Uint8Array.of(0x30, ...raw.subarray(1))],
    ["some whose text begins with that octet", Uint8Array.of(0xd3, ...raw.subarray(1))],
  ])("64 bytes, and their base64url with the end of a line: %s", (_, bytes) => {
    expect(decodeSignature(bytes)).toEqual(bytes);
    const text = Buffer.from(`${Buffer.from(bytes).toString("base64url")}\n`);
    expect(Buffer.from(decodeSignature(text) ?? [])).toEqual(Buffer.from(bytes));
  });

  test("DER, short and padded integers too", () => {
    const small = decodeSignature(der(0x02, 1, 5, 0x02, 2, 0, 0x80))!;
    expect(Buffer.from(small).toString("hex")).toBe(`${"00".repeat(31)}05${"00".repeat(31)}80`);
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["63 bytes", raw.subarray(1)],
    ["base64 with padding", Buffer.from(`${Buffer.from(raw).toString("base64url")}==`)],
    ["DER with something after it", Uint8Array.of(...der(0x02, 1, 5, 0x02, 1, 5), 0)],
    ["DER that is cut", Uint8Array.of(0x30, 6, 0x02, 1, 5, 0x02, 1)],
    ["DER with an empty integer", der(0x02, 0, 0x02, 1, 5)],
    ["DER with an integer of 33 bytes", der(0x02, 33, ...new Array<number>(33).fill(1), 0x02, 1, 5)],
  ])("not %s", (_, bytes) => {
    expect(decodeSignature(bytes)).toBeUndefined();
  });
});

describe("exec:", () => {
  let cli: Cli;
  beforeEach(async () => {
    cli = new Cli();
    await cli.init();
    cli.write("a.yaml", policyYaml("a"));
  });
  afterEach(() => {
    cli.remove();
  });
  const sign = async (command: string, key = "team-a/keys/cfg.pub.pem"): ReturnType<Cli["run"]> =>
    await cli.run(["sign", "-C", "team-a", "a.yaml", "--signer", `exec:${command}`, "--public-key", key]);

  test("OpenSSL signs what consumers believe", async () => {
    expect(await sign("openssl dgst -sha256 -sign team-a/keys/cfg.pem")).toMatchObject({ code: 0 });
    expect((await cli.run(["verify", "team-a/bundle.json", "--pin", "pin.json"])).code).toBe(0);
  });

  test("also from wpgate.yaml, with paths from there", async () => {
    const program = '{exec: "openssl dgst -sha256 -sign keys/cfg.pem", publicKey: keys/cfg.pub.pem}';
    cli.write("team-a/wpgate.yaml", cli.read("team-a/wpgate.yaml").replace('"keys/cfg.pem"', program));
    await cli.good("sign", "-C", "team-a", "a.yaml");
  });

  test("a folder can begin with a root key that is elsewhere", async () => {
    const other = new Cli();
    await other.good("keygen", "hsm.pem");
    other.write(
      "wpgate.yaml",
      `wpgate: 1
namespace: team-b
mesh: prod
trustDomain: cluster.local
contact: https://team-b.example
signers:
  root: [{exec: openssl dgst -sha256 -sign hsm.pem, publicKey: hsm.pub.pem}]
  cfg: [keys/cfg.pem]
`,
    );
    other.write("pin.json", await other.good("root", "init"));
    other.write("a.yaml", policyYaml("a"));
    await other.good("sign", "a.yaml");
    await other.good("verify", "bundle.json", "--pin", "pin.json");
    expect(other.read(".gitignore")).toContain("keys/*.pem");
    other.remove();
  });

  test.each([
    ["a program that fails", "false", "ended with 1"],
    ["a program that answers something else", "echo hello", "that are no P-256 signature"],
    [
      "a signature by another key",
      "openssl dgst -sha256 -sign team-a/keys/root.pem",
      "that its public key does not verify",
    ],
    ["a program that is not there", "/nonexistent/signer 2>/dev/null", "ended with 127"],
  ])("%s is an error, and nothing is saved", async (_, command, expected) => {
    const before = cli.read("team-a/bundle.json");
    const { code, stderr } = await sign(command);
    expect([code, stderr]).toEqual([1, expect.stringContaining(expected)]);
    expect(stderr).toContain("wpgate: hint: the program reads the bytes to sign on stdin");
    expect(cli.read("team-a/bundle.json")).toBe(before);
  });

  test("needs its public key", async () => {
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "a.yaml", "--signer", "exec:true"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--public-key")]);
  });

  test("is stopped with the command", async () => {
    const key = SigningKey.generate();
    const stop = new AbortController();
    const signer = new ExecSigner({
      ...{ command: "exec sleep 30", publicKey: key.publicKey, cwd: cli.folder },
      ...{ environment: process.env, signal: stop.signal },
    });
    const signing = signer.sign(Buffer.from("x"));
    stop.abort();
    await expect(signing).rejects.toThrow("cannot be run, or took too long");
  });
});

test("keys that OpenSSL made sign, and OpenSSL reads ours", async () => {
  const cli = new Cli();
  execFileSync("openssl", [
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    cli.path("o.pem"),
  ]);
  await cli.init();
  cli.write("a.yaml", policyYaml("a"));
  await cli.good("root", "change", "-C", "team-a", "--add-key", "cfg=o.pem");
  await cli.good("sign", "-C", "team-a", "a.yaml", "--signer", "o.pem");
  execFileSync("openssl", ["pkey", "-in", cli.path("team-a/keys/cfg.pem"), "-noout", "-check"]);
  cli.remove();
});
