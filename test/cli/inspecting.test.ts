/** The commands that only look: verify, inspect, explain, diff. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { signStatement } from "../../xds-proxy/src/envelope/seal.ts";
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
test.each([
  ["nothing", "", "holds no bundle"],
  ["another document", "a: 1", "holds no bundle"],
  ["broken YAML", "a: [", "x.json:1: "],
  ["an alias bomb", `a: &a [1,1]\nb: &b [${"*a,".repeat(60)}*a]\nc: [${"*b,".repeat(60)}*b]`, "too many aliases"],
  ["another version", '{"wpgate":2,"sets":[]}', "wpgate: must be 1"],
  ["no list of sets", '{"wpgate":1}', "sets: must be a list"],
  ["a set that is none", '{"wpgate":1,"sets":[1]}', "sets[0]: must be an object"],
  ["a root that is no text", '{"wpgate":1,"sets":[{"roots":[1]}]}', "sets[0].roots: must be a list of texts"],
  ["a set that is no text", '{"wpgate":1,"sets":[{"roots":[],"set":{}}]}', "sets[0].set: must be a text"],
])("a bundle that is %s is wrong input, not a bug", async (_, text, message) => {
  cli.write("x.json", text);
  const { code, stderr } = await cli.run(["verify", "x.json", "--pin", "pin.json"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});

test("--quiet says only what is wrong", async () => {
  expect((await cli.run(["-q", "sign", "-C", "team-a", "a.yaml"])).stderr).toBe("");
  expect((await cli.run(["sign", "-C", "team-a", "a.yaml", "--quiet"])).stderr).toBe("");
  expect((await cli.run(["sign", "-C", "team-a", "none.yaml", "-q"])).stderr).toContain("wpgate: error:");
});

const SHA256 = "ab".repeat(32);

describe("verify", () => {
  const verify = async (...argv: readonly string[]): ReturnType<Cli["run"]> =>
    await cli.run(["verify", "--pin", "pin.json", ...argv]);

  test("--json prints the code and exits with 1, without a word on stderr", async () => {
    cli.write("cut.json", JSON.stringify({ wpgate: 1, sets: [{ ...cli.bundle(), envelopes: [] }] }));
    const { code, stdout, stderr } = await verify("cut.json", "--json");
    expect([code, stderr]).toEqual([1, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ result: "OMITTED", namespaces: [{ ns: "team-a", result: "OMITTED" }] });
  });

  test("says the code, the place and what it means", async () => {
    cli.write("cut.json", JSON.stringify({ wpgate: 1, sets: [{ ...cli.bundle(), envelopes: [] }] }));
    const { code, stdout, stderr } = await verify("cut.json");
    expect([code, stdout]).toEqual([1, "team-a  OMITTED  set\n"]);
    expect(stderr).toMatch(
      /^wpgate: error: refused with OMITTED at team-a: set: .*\nwpgate: hint: an object that the owner's set lists was left out on the way\n$/,
    );
  });

  test("remembers with --state, and refuses what is older", async () => {
    cli.write("old.json", cli.read(BUNDLE));
    cli.pass(1);
    cli.write("a.yaml", policyYaml("a", { method: "POST" }));
    await cli.good("sign", "-C", "team-a", "a.yaml");
    expect((await verify(BUNDLE, "--state", "state.json")).code).toBe(0);
    const before = cli.read("state.json");
    const { code, stdout } = await verify("old.json", "--state", "state.json");
    expect([code, stdout]).toEqual([1, "team-a  ROLLBACK  state\n"]);
    expect(cli.read("state.json")).toBe(before);
    cli.write("state.json", '{"team-a": {"ep": 1}}');
    expect((await verify(BUNDLE, "--state", "state.json")).code).toBe(2);
  });

  test("as of another time", async () => {
    expect((await verify(BUNDLE, "--at", "2030-01-01T23:00:00Z")).code).toBe(0);
    expect((await verify(BUNDLE, "--at", "2030-01-03T00:00:00Z")).stdout).toContain("FRESH_STALE");
    expect((await verify(BUNDLE, "--at", "tomorrow")).code).toBe(2);
  });

  test("reads what kubectl answers, and misses a namespace that must be there", async () => {
    const plugin = await cli.good("wasmplugin", BUNDLE, "--url", "oci://r/w", "--sha256", SHA256);
    const list = {
      kind: "List",
      items: [{ kind: "WasmPlugin", spec: { pluginConfig: { other: 1 } } }, parse(plugin) as unknown],
    };
    const { code } = await cli.run(["verify", "-", "--pin", "pin.json"], { stdin: JSON.stringify(list) });
    expect(code).toBe(0);
    expect((await cli.run(["verify", "-", "--pin", "pin.json"], { stdin: plugin })).code).toBe(0);
    expect((await verify(BUNDLE, "--ns", "team-b")).stderr).toContain("team-b is not in");
  });

  test.each([
    ["no JSON", "nope", "is not a pin"],
    ["another role", '{"role":"x"}', "role: must be policy or ads"],
    [
      "a digest that is none",
      '{"role":"policy","mesh":"m","trustDomain":"t","rootNamespace":"","roots":{"a":"b"}}',
      "roots.a: must be a namespace and a base64url SHA-256",
    ],
    [
      "an unknown member",
      '{"role":"policy","mesh":"m","trustDomain":"t","rootNamespace":"","roots":{},"x":1}',
      "x: unknown member",
    ],
  ])("a pin with %s", async (_, text, message) => {
    cli.write("bad.json", text);
    const { code, stderr } = await cli.run(["verify", BUNDLE, "--pin", "bad.json"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe("inspect", () => {
  test("shows everything in a bundle and says that it believes none of it", async () => {
    const { code, stdout, stderr } = await cli.run(["inspect", BUNDLE]);
    expect(code).toBe(0);
    expect(stdout.match(/NOT VERIFIED/g)).toHaveLength(4);
    expect(stdout).toContain("AuthorizationPolicy");
    expect(stderr).toContain("warning: nothing here was verified");
  });

  test("takes text and bytes, from stdin too", async () => {
    const text = cli.bundle().set!;
    const viaText = await cli.run(["inspect", "--json"], { stdin: `${text}\n` });
    expect(JSON.parse(viaText.stdout)).toMatchObject({
      trusted: false,
      envelopes: [{ view: { claims: { use: "set" } } }],
    });
    cli.write("set.txt", text);
    expect((await cli.run(["inspect", "set.txt"])).stdout).toContain("use      set");
  });

  test("never puts control characters on a terminal", async () => {
    const evil = await signStatement({
      ...{
        use: "set",
        ns: "\u001b[2J",
        mesh: "m",
        trustDomain: "t",
        sub: "mailto:\u202e",
        iatSec: 1,
        expSec: 2,
        ep: 1,
      },
      ...{ ver: "1", data: Buffer.from("\u001b[31m\u0007\n"), signers: [SigningKey.generate()] },
    });
    const { stdout } = await cli.run(["inspect"], { stdin: encodeBase64Url(evil) });
    expect(stdout).toContain("\\u{1b}[31m\\u{7}\\u{a}");
    expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test("tells what is no envelope", async () => {
    expect((await cli.run(["inspect"], { stdin: "AAAA" })).stdout).toContain("not an envelope");
    expect((await cli.run(["inspect"], { stdin: "{}" })).code).toBe(2);
  });

  test("shows the pin in a module", async () => {
    await cli.good("filter", "pin", "--pin", "pin.json", "--out", "pinned.wasm");
    expect((await cli.run(["inspect", "pinned.wasm"])).stdout).toContain('"roots":{"team-a":');
    expect((await cli.run(["inspect", projectFile("filter/build/wpgate.wasm")])).stdout).toContain("not pinned");
  });
});

describe("explain", () => {
  const explain = async (...argv: readonly string[]): ReturnType<Cli["run"]> =>
    await cli.run(["explain", "-C", "team-a", ...argv]);

  test("names the rule, and what others asked for in vain", async () => {
    const allowed = await explain("--method", "GET");
    expect([allowed.code, allowed.stdout]).toEqual([
      0,
      expect.stringContaining("allowed by ns[team-a]-policy[a]-rule[0]"),
    ]);
    const denied = await explain("--method", "POST");
    expect([denied.code, denied.stdout]).toEqual([
      1,
      expect.stringContaining("not met: spec.rules[0].to[0].operation.methods"),
    ]);
  });

  test("evaluates sources that are not signed yet", async () => {
    cli.write("next.yaml", policyYaml("a", { method: "POST" }));
    expect((await explain("next.yaml", "--method", "POST", "--json")).code).toBe(0);
  });

  test("knows headers, peers, labels and claims", async () => {
    cli.write(
      "p.yaml",
      `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p}
spec:
  selector: {matchLabels: {app: shop}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/x/sa/y]}}]
    when: [{key: "request.headers[x-a]", values: ["1"]}, {key: "request.auth.claims[g]", values: [dev]}]
`,
    );
    const all = ["--peer", "spiffe://cluster.local/ns/x/sa/y", "--header", "X-A: 1", "--claims", '{"g":["dev"]}'];
    expect((await explain("p.yaml", "--label", "app=shop", ...all)).stdout).toMatch(/^allowed/);
    expect((await explain("p.yaml", "--label", "app=other", ...all)).stdout).toContain(
      "not for this workload: team-a/p",
    );
    expect((await explain("p.yaml", "--label", "app=shop", ...all.slice(0, 4))).stdout).toContain(
      "spec.rules[0].when[1]",
    );
    expect((await explain("--claims", "[]")).code).toBe(2);
    expect((await explain("--header", "x")).code).toBe(2);
  });

  test("knows the trust domain's aliases from the pin", async () => {
    cli.write(
      "p.yaml",
      `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p}
spec: {rules: [{from: [{source: {principals: [cluster.local/ns/x/sa/y]}}]}]}
`,
    );
    const peer = ["--peer", "spiffe://old.example/ns/x/sa/y"];
    expect((await explain("p.yaml", ...peer)).code).toBe(1);
    const other = await cli.good("root", "pin", "pin.json", "--trust-domain-alias", "old.example");
    cli.write("team-a/pin.json", other);
    expect(await explain("p.yaml", ...peer)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is old.example here, and none in wpgate.yaml") as string,
    });
    cli.write("team-a/wpgate.yaml", `${cli.read("team-a/wpgate.yaml")}\ntrustDomainAliases: [old.example]\n`);
    expect((await explain("p.yaml", ...peer)).code).toBe(0);
    await cli.good("sign", "-C", "team-a", "p.yaml");
    cli.write("other.json", other);
    const post = ["--bundle", BUNDLE, "--method", "POST", ...peer];
    expect((await cli.run(["explain", "--pin", "other.json", ...post])).code).toBe(0);
    expect((await cli.run(["explain", "--pin", "pin.json", ...post])).code).toBe(1);
  });

  test("two namespaces as one, without an owner's folder, the stricter root counting", async () => {
    const names = ["--mesh", "prod", "--contact", "mailto:a@example.com", "--default", "istio"];
    await cli.good("root", "init", "-C", "sys", "--namespace", "istio-system", ...names);
    cli.write("deny.yaml", policyYaml("deny-get", { action: "DENY" }));
    await cli.good("sign", "-C", "sys", "deny.yaml");
    cli.write("both.json", await cli.good("root", "pin", "pin.json", "sys/pin.json"));
    const both = ["explain", "--pin", "both.json", "--bundle", BUNDLE, "--bundle", "sys/bundle.json"];
    const { code, stdout } = await cli.run(both);
    expect([code, stdout]).toEqual([1, expect.stringContaining("by ns[istio-system]-policy[deny-get]-rule[0]")]);
    expect(
      (await cli.run(["explain", "--pin", "both.json", "--bundle", "sys/bundle.json", "--method", "PUT"])).stdout,
    ).toContain("default: istio");
    expect((await cli.run([...both, "--method", "PUT"])).stdout).toContain("no rule of them matches");
    expect((await cli.run(["explain", "--pin", "pin.json", "--bundle", "sys/bundle.json"])).stderr).toContain(
      "UNPINNED",
    );
    expect((await cli.run(["explain", "--pin", "pin.json"])).code).toBe(2);
  });

  test("explains only what a consumer would accept", async () => {
    cli.pass(3 * 86_400);
    const { code, stderr } = await explain();
    expect([code, stderr]).toEqual([1, expect.stringContaining("refused with FRESH_STALE")]);
  });
});

describe("diff", () => {
  test("0 when nothing changes, 1 and the lines when something does, 2 when it can not be compared", async () => {
    expect(await cli.run(["diff", BUNDLE, BUNDLE])).toMatchObject({ code: 0, stdout: "" });
    cli.write("next.yaml", policyYaml("a", { method: "POST" }));
    const changed = await cli.run(["diff", "-C", "team-a", "next.yaml"]);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toMatch(/^~ AuthorizationPolicy\/a\n[^]* {4}- +- GET\n {4}\+ +- POST\n$/);
    expect((await cli.run(["diff", BUNDLE])).code).toBe(2);
    expect((await cli.run(["diff", "nowhere.json", BUNDLE])).code).toBe(2);
  });

  test("objects that come and go, keys and settings of the root", async () => {
    cli.write("old.json", cli.read(BUNDLE));
    cli.write("b.yaml", policyYaml("b"));
    await cli.good("root", "change", "-C", "team-a", "--mode", "monitor");
    await cli.good("sign", "-C", "team-a", "b.yaml", "--prune");
    const { code, stdout } = await cli.run(["diff", "old.json", BUNDLE, "-o", "json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      changed: true,
      objects: [
        { kind: "removed", name: "team-a/a" },
        { kind: "added", name: "team-a/b" },
      ],
    });
    expect((await cli.run(["diff", "old.json", BUNDLE])).stdout).toContain("- mode: enforce");
  });

  test("without --prune, what is not named stays", async () => {
    cli.write("b.yaml", policyYaml("b"));
    expect((await cli.run(["diff", "-C", "team-a", "b.yaml"])).stdout).not.toContain("- AuthorizationPolicy/a");
    expect((await cli.run(["diff", "-C", "team-a", "b.yaml", "--prune"])).stdout).toContain("- AuthorizationPolicy/a");
  });

  test("of sealed objects only that they differ", async () => {
    await cli.good("keygen", "--recipient", "r.pem");
    cli.write("s.yaml", policyYaml("s"));
    await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
    cli.write("old.json", cli.read(BUNDLE));
    cli.pass(1);
    await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
    expect((await cli.run(["diff", "old.json", BUNDLE])).stdout).toBe("~ AuthorizationPolicy/s (sealed)\n");
  });
});
