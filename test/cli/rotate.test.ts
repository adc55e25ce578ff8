/** Rotation and other successors of a root, with what consumers of the old and the new pin say. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inspectEnvelope } from "../../xds-proxy/src/envelope/inspect.ts";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import { Cli, policyYaml } from "./harness.ts";

let cli: Cli;
beforeEach(async () => {
  cli = new Cli();
  await cli.init();
  cli.write("a.yaml", policyYaml("a"));
  await cli.good("sign", "-C", "team-a", "a.yaml");
  cli.pass(1);
});
afterEach(() => {
  cli.remove();
});

const rotate = async (...argv: readonly string[]): Promise<string> =>
  await cli.good("root", "rotate", "-C", "team-a", ...argv);
const verdict = async (...argv: readonly string[]): Promise<string> => {
  const { stdout } = await cli.run(["verify", "team-a/bundle.json", "--json", ...argv]);
  return (JSON.parse(stdout) as { result: string }).result;
};
const signerOf = (text: string): string => inspectEnvelope(text).signers[0]!;

test("N+1 with both keys, signed again, then N+2 without the old one", async () => {
  const old = signerOf(cli.bundle().set!);
  expect(await rotate("--role", "cfg")).toMatch(/^= AuthorizationPolicy\/a .*renewed\nleft: wpgate root rotate/);
  expect(cli.bundle().roots).toHaveLength(2);
  expect([cli.bundle().set!, ...cli.bundle().envelopes].map(signerOf)).not.toContain(old);
  expect(await verdict("--pin", "pin.json")).toBe("ok");
  expect(cli.read("team-a/wpgate.yaml")).toContain("keys/cfg-2.pem");
  expect(cli.read("team-a/wpgate.yaml")).toContain("# Paths are relative to this file.");

  expect(await rotate()).toContain(`left: destroy the private key ${old}`);
  expect(cli.bundle().roots).toHaveLength(3);
  expect([await verdict("--pin", "pin.json"), await verdict("--pin", "team-a/pin.json")]).toEqual(["ok", "ok"]);
  expect(cli.read("team-a/pin.json")).not.toBe(cli.read("pin.json"));
  const { code, stderr } = await cli.run(["sign", "-C", "team-a", "a.yaml", "--signer", "team-a/keys/cfg.pem"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("has not the role cfg in root 3")]);
});

test("does not take the old key out while something depends on it", async () => {
  await cli.good("keygen", "--recipient", "r.pem");
  cli.write("s.yaml", policyYaml("s", { action: "DENY" }));
  await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
  await rotate("--role", "cfg");
  const early = await cli.run(["root", "rotate", "-C", "team-a"]);
  expect([early.code, early.stdout]).toEqual([
    1,
    expect.stringContaining("still signed by the old key: AuthorizationPolicy/s\n"),
  ]);
  expect(cli.bundle().roots).toHaveLength(2);
  await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
  await rotate();
  expect(await verdict("--pin", "pin.json", "--recipient", "r.pem")).toBe("ok");
});

test.each(["root", "fresh"] as const)("rotates the %s key", async (role) => {
  await rotate("--role", role);
  await rotate();
  expect(cli.bundle().roots).toHaveLength(3);
  expect(await verdict("--pin", "pin.json")).toBe("ok");
  await cli.good("root", "change", "-C", "team-a");
  await cli.good("fresh", "-C", "team-a");
  expect(await verdict("--pin", "pin.json")).toBe("ok");
});

test("a key that was made elsewhere takes over by its public half", async () => {
  await cli.good("keygen", "hsm.pem");
  const { stdout, stderr } = await cli.run([
    "root",
    "rotate",
    "-C",
    "team-a",
    "--role",
    "cfg",
    "--with",
    "hsm.pub.pem",
  ]);
  expect(stdout).toContain("left: wpgate root rotate");
  expect(stderr).not.toContain("new cfg key");
  await cli.good("set", "-C", "team-a", "--renew", "--signer", "hsm.pem");
  await rotate();
  expect(await verdict("--pin", "pin.json")).toBe("ok");
});

describe("--revoke", () => {
  test("replaces the key in one step, and refuses all that was signed before", async () => {
    const before = cli.bundle();
    expect(await rotate("--role", "cfg", "--revoke")).toContain("left: sign everything again from its sources");
    expect(cli.bundle().roots).toHaveLength(2);
    expect(await verdict("--pin", "pin.json")).not.toBe("ok");
    const alone = await cli.run(["set", "-C", "team-a"]);
    expect([alone.code, alone.stderr]).toEqual([
      2,
      expect.stringContaining("team-a/a): does not count any more: KEY_UNKNOWN"),
    ]);
    await cli.good("sign", "-C", "team-a", "a.yaml");
    expect(await verdict("--pin", "pin.json")).toBe("ok");
    cli.write("old.json", JSON.stringify({ wpgate: 1, sets: [{ ...before, roots: cli.bundle().roots }] }));
    expect((await cli.run(["verify", "old.json", "--pin", "pin.json"])).stdout).toMatch(/EPOCH|KEY_UNKNOWN/);
  });

  test("recovers from a version that was pushed to its end", async () => {
    cli.nowMs = Date.parse("2030-06-01T00:00:00Z");
    await rotate("--role", "cfg", "--revoke");
    await cli.good("sign", "-C", "team-a", "a.yaml");
    expect(claimsOf(cli.bundle().set!).claims.ver).toBe(String(cli.nowMs));
  });

  test("ends a rotation that is under way", async () => {
    await rotate("--role", "cfg");
    const other = await cli.run(["root", "rotate", "-C", "team-a", "--role", "fresh"]);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("the cfg key is being replaced")]);
    expect(await rotate("--revoke")).toContain("left: sign everything again from its sources");
    await cli.good("sign", "-C", "team-a", "a.yaml");
    expect(await verdict("--pin", "pin.json")).toBe("ok");
  });

  test("asks for the sources of sealed objects, and takes all in one go", async () => {
    await cli.good("keygen", "--recipient", "r.pem");
    cli.write("s.yaml", policyYaml("s", { action: "DENY" }));
    await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
    expect(await rotate("--role", "cfg", "--revoke")).toContain("left: sign everything again from its sources");
    const alone = await cli.run(["sign", "-C", "team-a", "a.yaml"]);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("does not count any more")]);
    const opened = await cli.run(["sign", "-C", "team-a", "a.yaml", "s.yaml"]);
    expect([opened.code, opened.stderr]).toEqual([2, expect.stringContaining("is sealed now")]);
    await cli.good("sign", "-C", "team-a", "a.yaml", "--seal", "s.yaml", "--for", "r.recipient.json");
    expect(await verdict("--pin", "pin.json", "--recipient", "r.pem")).toBe("ok");
  });
});

test("says which keys there are when it can not choose", async () => {
  await cli.good("keygen", "second.pem");
  await cli.good("root", "change", "-C", "team-a", "--add-key", "cfg=second.pub.pem");
  const { code, stderr } = await cli.run(["root", "rotate", "-C", "team-a", "--role", "cfg"]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/--old: says which key .*\nwpgate: hint: these have it: \S{22}, \S{22}\n/),
  ]);
});

test("a successor that the old root key did not sign is not saved", async () => {
  const before = cli.read("team-a/bundle.json");
  await cli.good("keygen", "other.pem");
  const { code, stderr } = await cli.run(["root", "change", "-C", "team-a", "--signer", "other.pem"]);
  expect([code, stderr]).toEqual([1, expect.stringContaining("refused with ROOT_INVALID at roots[1]")]);
  expect(cli.read("team-a/bundle.json")).toBe(before);
});

test("root change sets what consumers read, and keeps the rest", async () => {
  await cli.good("root", "change", "-C", "team-a", "--mode", "monitor", "--default", "istio", "--max-fresh", "2h");
  const { stdout } = await cli.run(["verify", "team-a/bundle.json", "--pin", "pin.json"]);
  expect(stdout).toMatch(/root 2, .*fresh until 2030-01-01T02:00:01.*, monitor, default istio, paths strict/);
});

test("root init does not begin twice, and pins join", async () => {
  const again = await cli.run([
    "root",
    "init",
    "-C",
    "team-a",
    "--namespace",
    "x",
    "--mesh",
    "m",
    "--contact",
    "mailto:a@b",
  ]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("has a root already")]);
  await cli.good(
    "root",
    "init",
    "-C",
    "sys",
    "--namespace",
    "istio-system",
    "--mesh",
    "prod",
    "--contact",
    "https://sec.example",
  );
  const pin = JSON.parse(await cli.good("root", "pin", "team-a/pin.json", "sys/pin.json")) as { roots: object };
  expect(Object.keys(pin.roots)).toEqual(["istio-system", "team-a"]);
  cli.write("other.json", cli.read("pin.json").replace('"prod"', '"test"'));
  const { code, stderr } = await cli.run(["root", "pin", "pin.json", "other.json"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("mesh: is prod here and test there")]);
});

describe("aliases of the trust domain", () => {
  const names = ["--namespace", "team-b", "--mesh", "prod", "--contact", "mailto:b@example.com"];

  test("root init takes them into wpgate.yaml and the pin, and successors keep them", async () => {
    const aliases = ["--trust-domain-alias", "old.example", "--trust-domain-alias", "older.example"];
    const pin = await cli.good("root", "init", "-C", "team-b", ...names, ...aliases);
    expect(JSON.parse(pin)).toMatchObject({ trustDomainAliases: ["old.example", "older.example"] });
    expect(cli.read("team-b/wpgate.yaml")).toContain('trustDomainAliases: ["old.example", "older.example"]\n');
    await cli.good("root", "change", "-C", "team-b", "--mode", "monitor");
    expect(JSON.parse(cli.read("team-b/pin.json"))).toMatchObject({
      trustDomainAliases: ["old.example", "older.example"],
    });
  });

  test("root init refuses what is none", async () => {
    const { code, stderr } = await cli.run([
      ...["root", "init", "-C", "team-b", ...names],
      ...["--trust-domain-alias", "cluster.local"],
    ]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("trustDomainAliases: must not list trustDomain itself"),
    ]);
  });

  test("root pin joins pins that agree, or gives all of them others", async () => {
    cli.write("pin-b.json", await cli.good("root", "init", "-C", "team-b", ...names, "--trust-domain-alias", "old"));
    const { code, stderr } = await cli.run(["root", "pin", "pin.json", "pin-b.json"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("trustDomainAliases: is none here and old there")]);
    const joined = await cli.good("root", "pin", "pin.json", "pin-b.json", "--trust-domain-alias", "new");
    const { trustDomainAliases, roots } = JSON.parse(joined) as { trustDomainAliases: string[]; roots: object };
    expect([trustDomainAliases, Object.keys(roots)]).toEqual([["new"], ["team-a", "team-b"]]);
    const wrong = await cli.run(["root", "pin", "pin.json", "--trust-domain-alias", "a..b"]);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("trustDomainAliases: must list 1 to 16")]);
  });

  test("a folder whose pin and configuration differ is not rotated", async () => {
    cli.write("team-a/wpgate.yaml", `${cli.read("team-a/wpgate.yaml")}\ntrustDomainAliases: [old.example]\n`);
    const { code, stderr } = await cli.run(["root", "change", "-C", "team-a", "--mode", "monitor"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("team-a/pin.json: trustDomainAliases: is none here, and old.example in wpgate.yaml"),
    ]);
  });
});
