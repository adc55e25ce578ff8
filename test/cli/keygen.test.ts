/** Keys on disk: modes, no overwriting, and that a key is for one thing only. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import { statSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cli, policyYaml } from "./harness.ts";

let cli: Cli;
beforeEach(() => {
  cli = new Cli();
});
afterEach(() => {
  cli.remove();
});

const modeOf = (name: string): number => statSync(cli.path(name)).mode & 0o777;

test("a signing key is PKCS#8 for its owner alone, beside its public half", async () => {
  const printed = await cli.good("keygen", "keys/ci.pem");
  expect(modeOf("keys/ci.pem")).toBe(0o600);
  const { x, y } = createPublicKey(createPrivateKey(cli.read("keys/ci.pem"))).export({ format: "jwk" });
  const point = Buffer.concat([Uint8Array.of(4), Buffer.from(x!, "base64url"), Buffer.from(y!, "base64url")]);
  expect(printed).toBe(`${point.toString("base64url")}\n`);
  expect(createPublicKey(cli.read("keys/ci.pub.pem")).export({ format: "jwk" })).toMatchObject({ x, y });
});

test("what is printed holds no private key", async () => {
  const { stdout, stderr } = await cli.run(["keygen", "ci.pem", "-o", "json"]);
  const { d } = createPrivateKey(cli.read("ci.pem")).export({ format: "jwk" });
  expect(JSON.parse(stdout)).toMatchObject({ privateFile: "ci.pem", publicFile: "ci.pub.pem" });
  expect(stdout + stderr).not.toContain(d);
});

test("a key is never overwritten without --force", async () => {
  await cli.good("keygen", "ci.pem");
  const before = cli.read("ci.pem");
  const { code, stderr } = await cli.run(["keygen", "ci.pem"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^wpgate: error: .*ci\.pem: cannot be created: it exists already\nwpgate: hint: /);
  expect(cli.read("ci.pem")).toBe(before);
  await cli.good("keygen", "ci.pem", "--force");
  expect(cli.read("ci.pem")).not.toBe(before);
});

test("a recipient's halves are both for their owner alone", async () => {
  await cli.good("keygen", "--recipient", "backend.pem");
  expect(modeOf("backend.pem")).toBe(0o600);
  expect(modeOf("backend.recipient.json")).toBe(0o600);
  expect(Object.keys(JSON.parse(cli.read("backend.recipient.json")) as object)).toEqual(["p256dh", "auth"]);
});

test("a key that decrypts does not sign, and the reverse", async () => {
  await cli.init();
  cli.write("p.yaml", policyYaml("p"));
  await cli.good("keygen", "--recipient", "backend.pem");
  const signed = await cli.run(["sign", "-C", "team-a", "p.yaml", "--signer", "backend.pem"]);
  expect(signed.code).toBe(2);
  expect(signed.stderr).toContain("is not a signing key: a key for exchange where a key for signing is needed");
  await cli.good("seal", "-C", "team-a", "p.yaml", "--for", "backend.recipient.json");
  const opened = await cli.run([
    "verify",
    "team-a/bundle.json",
    "--pin",
    "pin.json",
    "--recipient",
    "team-a/keys/cfg.pem",
  ]);
  expect(opened.code).toBe(2);
  expect(opened.stderr).toContain("is not a key-exchange key");
});

test("nothing is sealed for a key that signs", async () => {
  await cli.init();
  cli.write("p.yaml", policyYaml("p"));
  const der = createPublicKey(cli.read("team-a/keys/cfg.pub.pem")).export({ format: "der", type: "spki" });
  const p256dh = der.subarray(-65).toString("base64url");
  cli.write("r.json", JSON.stringify({ keys: { p256dh, auth: Buffer.alloc(16).toString("base64url") } }));
  const { code, stderr } = await cli.run(["seal", "-C", "team-a", "p.yaml", "--for", "r.json"]);
  expect(code).toBe(2);
  expect(stderr).toContain("would both sign and decrypt");
});

test("a recipient's key gets no role in a root", async () => {
  await cli.init();
  cli.write("k.txt", await cli.good("keygen", "--recipient", "team-a/recipients/r.pem"));
  const { code, stderr } = await cli.run(["root", "change", "-C", "team-a", "--add-key", "cfg=k.txt"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("would both sign and decrypt")]);
});
