/** sign, seal, set and fresh: what they change, what they leave alone, and what they refuse. */
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import { Cli, policyYaml } from "./harness.ts";

const DAY_SEC = 86_400;
let cli: Cli;
beforeEach(async () => {
  cli = new Cli();
  await cli.init();
  cli.write("a.yaml", policyYaml("a"));
  cli.write("b.yaml", policyYaml("b", { action: "DENY", method: "DELETE" }));
});
afterEach(() => {
  cli.remove();
});

const sign = async (...argv: readonly string[]): Promise<string> => await cli.good("sign", "-C", "team-a", ...argv);
const verify = async (...argv: readonly string[]): ReturnType<Cli["run"]> =>
  await cli.run(["verify", "team-a/bundle.json", "--pin", "pin.json", ...argv]);
const version = (text: string): string => claimsOf(text).claims.ver!;

describe("sign", () => {
  test("makes statements and the set in one go, and consumers believe them", async () => {
    expect(await sign("a.yaml", "b.yaml")).toMatch(
      /^\+ AuthorizationPolicy\/a {2}\d+ {2}added\n\+ AuthorizationPolicy\/b .*added\n$/,
    );
    const { code, stdout } = await verify();
    expect([code, stdout]).toEqual([0, expect.stringContaining("AuthorizationPolicy/b")]);
  });

  test("content that did not change keeps its version, its set and its bytes", async () => {
    await sign("a.yaml");
    const before = cli.bundle();
    cli.pass(60);
    expect(await sign("a.yaml")).toContain("unchanged");
    const after = cli.bundle();
    expect(after.envelopes).toEqual(before.envelopes);
    expect(after.set).toBe(before.set);
    expect(claimsOf(after.fresh!).claims.iat).toBe(claimsOf(before.fresh!).claims.iat + 60);
  });

  test("content that changed gets a greater version, also when the clock went back", async () => {
    await sign("a.yaml");
    const before = cli.bundle();
    cli.write("a.yaml", policyYaml("a", { method: "POST" }));
    cli.pass(-30);
    expect(await sign("a.yaml")).toContain("changed");
    const after = cli.bundle();
    expect(BigInt(version(after.envelopes[0]!))).toBe(BigInt(version(before.envelopes[0]!)) + 1n);
    expect(BigInt(version(after.set!))).toBe(BigInt(version(before.set!)) + 1n);
  });

  test("an object that goes and comes back is a newer one", async () => {
    await sign("a.yaml", "b.yaml");
    const before = version(cli.bundle().envelopes[0]!);
    cli.pass(1);
    await sign("b.yaml", "--prune");
    cli.pass(1);
    await sign("a.yaml");
    expect(BigInt(version(cli.bundle().envelopes[0]!))).toBeGreaterThan(BigInt(before));
  });

  test("keeps what is not named, and --prune drops it", async () => {
    await sign("a.yaml", "b.yaml");
    expect(await sign("a.yaml")).toMatch(/= .*\/a .*unchanged\n= .*\/b .*unchanged/);
    expect(await sign("a.yaml", "--prune")).toMatch(/- AuthorizationPolicy\/b .*removed/);
    expect(cli.bundle().envelopes).toHaveLength(1);
  });

  test("renews what has lived half of its time, under the same version", async () => {
    await sign("a.yaml");
    const before = cli.bundle();
    cli.pass(46 * DAY_SEC);
    expect(await sign("a.yaml")).toContain("renewed");
    const [statement] = cli.bundle().envelopes;
    expect(statement).not.toBe(before.envelopes[0]);
    expect(version(statement!)).toBe(version(before.envelopes[0]!));
    expect(version(cli.bundle().set!)).toBe(version(before.set!));
  });

  test("renews also what has expired", async () => {
    await sign("a.yaml");
    cli.pass(91 * DAY_SEC);
    expect((await verify()).code).toBe(1);
    await cli.good("root", "change", "-C", "team-a");
    await cli.good("set", "-C", "team-a");
    expect((await verify()).code).toBe(0);
  });

  test("reads stdin, and prints the bundle for a pipe", async () => {
    const { code, stdout } = await cli.run(["sign", "-C", "team-a", "-", "-o", "bundle"], { stdin: policyYaml("s") });
    expect(code).toBe(0);
    cli.write("piped.json", stdout);
    expect((await cli.run(["verify", "piped.json", "--pin", "pin.json"])).stdout).toContain("AuthorizationPolicy/s");
  });

  test("--dry-run changes nothing", async () => {
    const before = cli.read("team-a/bundle.json");
    expect(await sign("a.yaml", "--dry-run")).toContain("added");
    expect(cli.read("team-a/bundle.json")).toBe(before);
  });

  test("a faulty object is named with file and path, and nothing is signed", async () => {
    const before = cli.read("team-a/bundle.json");
    cli.write("bad.yaml", policyYaml("bad").replace("methods", "method"));
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "a.yaml", "bad.yaml"]);
    expect([code, stderr]).toEqual([
      2,
      "wpgate: error: bad.yaml (AuthorizationPolicy bad): spec.rules[0].to[0].operation.method: unknown field\n",
    ]);
    expect(cli.read("team-a/bundle.json")).toBe(before);
  });

  test("a key without the role is refused before anything is signed", async () => {
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "a.yaml", "--signer", "team-a/keys/fresh.pem"]);
    expect(code).toBe(2);
    expect(stderr).toContain("has not the role cfg in root 1");
  });

  test("two signatures where the root asks for two", async () => {
    await cli.good("keygen", "second.pem");
    await cli.good("root", "change", "-C", "team-a", "--add-key", "cfg=second.pub.pem", "--threshold", "cfg=2");
    const alone = await cli.run(["sign", "-C", "team-a", "a.yaml"]);
    expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining("refused with THRESHOLD")]);
    await sign("a.yaml", "--signer", "team-a/keys/cfg.pem", "--signer", "second.pem");
    expect((await verify()).code).toBe(0);
  });
});

describe("a bundle that somebody else has touched", () => {
  const edit = (change: (bundle: ReturnType<Cli["bundle"]>) => object): void => {
    cli.write("team-a/bundle.json", JSON.stringify({ wpgate: 1, sets: [change(cli.bundle())] }));
  };

  test("a statement of a stranger is not signed over", async () => {
    await sign("a.yaml", "b.yaml");
    const stranger = new Cli();
    await stranger.init();
    stranger.write("a.yaml", policyYaml("a", { method: "POST" }));
    await stranger.good("sign", "-C", "team-a", "a.yaml");
    const [theirs] = stranger.bundle().envelopes;
    stranger.remove();
    edit((bundle) => ({ ...bundle, envelopes: [theirs, bundle.envelopes[1]] }));
    const { code, stderr } = await cli.run(["set", "-C", "team-a"]);
    expect(code).toBe(2);
    expect(stderr).toContain("KEY_UNKNOWN");
  });

  test("an object that was taken out does not vanish in silence", async () => {
    await sign("a.yaml", "b.yaml");
    edit((bundle) => ({ ...bundle, envelopes: bundle.envelopes.slice(0, 1) }));
    const { code, stderr } = await cli.run(["set", "-C", "team-a"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/team-a\/b\): does not count any more: OMITTED/);
    await sign("b.yaml");
    expect((await verify()).stdout).toContain("AuthorizationPolicy/b");
  });

  test("other roots end the command", async () => {
    const stranger = new Cli();
    await stranger.init();
    edit((bundle) => ({ ...bundle, roots: stranger.bundle().roots }));
    stranger.remove();
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "a.yaml"]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("refused with ROOT_INVALID")]);
  });
});

describe("seal", () => {
  beforeEach(async () => {
    await cli.good("keygen", "--recipient", "team-a/recipients/backend.pem");
    await cli.good("keygen", "--recipient", "team-a/recipients/worker.pem");
  });
  const seal = async (...argv: readonly string[]): Promise<string> => await cli.good("seal", "-C", "team-a", ...argv);
  const reader = (name: string): readonly [string, string] => ["--recipient", `team-a/recipients/${name}.pem`];

  test("everyone in recipients/ can read it, and nobody else", async () => {
    await sign("a.yaml");
    await seal("b.yaml");
    expect(cli.bundle().envelopes).toHaveLength(3);
    expect((await verify(...reader("backend"))).stdout).toContain("AuthorizationPolicy/b");
    expect((await verify(...reader("worker"))).stdout).toContain("AuthorizationPolicy/b");
    expect((await verify()).stdout).toContain("RECIPIENT");
  });

  test("a workload that is not meant to read it still accepts the set", async () => {
    await seal("b.yaml", "--for", "team-a/recipients/backend.recipient.json");
    expect((await verify(...reader("backend"))).stdout).toContain("AuthorizationPolicy/b");
    const other = await verify(...reader("worker"));
    expect([other.code, other.stdout.includes("AuthorizationPolicy/b")]).toEqual([0, false]);
  });

  test("sealing again is a newer version; signing others keeps it", async () => {
    await seal("b.yaml");
    const before = cli.bundle();
    cli.pass(1);
    await sign("a.yaml");
    expect(cli.bundle().envelopes.slice(1)).toEqual(before.envelopes);
    await seal("b.yaml");
    expect(BigInt(version(cli.bundle().envelopes[1]!))).toBeGreaterThan(BigInt(version(before.envelopes[0]!)));
  });

  test("is not published in clear by mistake", async () => {
    await seal("b.yaml");
    const { code, stderr } = await cli.run(["sign", "-C", "team-a", "b.yaml"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("is sealed now")]);
    await sign("b.yaml", "--unseal");
    expect((await verify()).code).toBe(0);
  });

  test("says when it can only be renewed from its source, and refuses to list what has expired", async () => {
    await seal("b.yaml");
    cli.pass(80 * DAY_SEC);
    const { stderr } = await cli.run(["set", "-C", "team-a"]);
    expect(stderr).toContain("AuthorizationPolicy/b runs out in 10d; renew it with wpgate seal with its source");
    expect(stderr).toContain("root 1 runs out in 10d; renew it with wpgate root change");
    expect(stderr).not.toContain("the set runs out");
    cli.pass(11 * DAY_SEC);
    const dead = await cli.run(["set", "-C", "team-a"]);
    expect([dead.code, dead.stderr]).toEqual([
      1,
      expect.stringContaining("refused with EXPIRED at roots: root 1 has run out"),
    ]);
    await cli.good("root", "change", "-C", "team-a");
    const late = await cli.run(["set", "-C", "team-a"]);
    expect([late.code, late.stderr]).toEqual([2, expect.stringContaining("is sealed and has expired")]);
  });
});

describe("set", () => {
  test("takes an object out by name", async () => {
    await sign("a.yaml", "b.yaml");
    expect(await cli.good("set", "-C", "team-a", "--remove", "AuthorizationPolicy/a")).toContain("removed");
    expect((await verify()).stdout).not.toContain("AuthorizationPolicy/a");
    const { code, stderr } = await cli.run(["set", "-C", "team-a", "--remove", "AuthorizationPolicy/a"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("hint: it has AuthorizationPolicy/b")]);
  });
});

describe("fresh", () => {
  test("confirms the set, with the root's longest life or a shorter one", async () => {
    await sign("a.yaml");
    cli.pass(2 * DAY_SEC);
    expect((await verify()).stdout).toContain("FRESH_STALE");
    await cli.good("fresh", "-C", "team-a", "--for", "1h");
    expect((await verify()).code).toBe(0);
    cli.pass(3600 + 60);
    expect((await verify()).stdout).toContain("FRESH_STALE");
  });

  test("falls back to the set's signers where its own key is elsewhere", async () => {
    await sign("a.yaml");
    await cli.good("keygen", "elsewhere.pem");
    cli.write("team-a/wpgate.yaml", cli.read("team-a/wpgate.yaml").replace("keys/fresh.pem", "keys/none.pem"));
    expect((await cli.run(["fresh", "-C", "team-a"])).stderr).toContain("the set's own signers confirm it");
    expect((await verify()).code).toBe(0);
  });

  test("--watch renews at half of its life and ends when it is told to", async () => {
    await sign("a.yaml");
    const stop = new AbortController();
    const lifetimes: number[] = [];
    const running = cli.run(
      ["fresh", "-C", "team-a", "--watch", "--for", "1s", "--then", `echo renewed >> ${cli.path("log")}`],
      { signal: stop.signal },
    );
    await expect
      .poll(() => (existsSync(cli.path("log")) ? cli.read("log").split("\n").length - 1 : 0), { timeout: 10_000 })
      .toBeGreaterThan(2);
    lifetimes.push(claimsOf(cli.bundle().fresh!).claims.exp - claimsOf(cli.bundle().fresh!).claims.iat);
    stop.abort();
    const { code, stderr } = await running;
    expect([code, lifetimes]).toEqual([0, [1]]);
    expect(stderr).toMatch(/stopped; nothing renews the set any more\n$/);
    expect(existsSync(cli.path("team-a/.wpgate.lock"))).toBe(false);
  });

  test("--watch goes on after a failure", async () => {
    await sign("a.yaml");
    const stop = new AbortController();
    const script = `echo x >> ${cli.path("log")}; test $(wc -l < ${cli.path("log")}) -ne 2`;
    const running = cli.run(["fresh", "-C", "team-a", "--watch", "--for", "1s", "--then", script], {
      signal: stop.signal,
    });
    await expect
      .poll(() => (existsSync(cli.path("log")) ? cli.read("log").split("\n").length - 1 : 0), { timeout: 10_000 })
      .toBeGreaterThan(2);
    stop.abort();
    const { code, stderr } = await running;
    expect(code).toBe(0);
    expect(stderr).toContain("the command after the renewal ended with 1");
    expect(stderr).toContain("trying again in");
  });
});

test("one wpgate at a time changes a folder, and a dead one's lock is taken over", async () => {
  cli.write("team-a/.wpgate.lock", "999999999");
  await sign("a.yaml");
  cli.write("team-a/.wpgate.lock", String(process.pid));
  const { code, stderr } = await cli.run(["sign", "-C", "team-a", "b.yaml"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("another wpgate is at work")]);
});
