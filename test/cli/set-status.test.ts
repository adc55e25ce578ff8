/** How a published set is doing as time passes, and what may follow it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { olderThan, summarize } from "../../xds-proxy/src/owner/bundle-summary.ts";
import { parsePin, type PinFile } from "../../xds-proxy/src/owner/pin.ts";
import { conditionOf, setStatus, type Finding } from "../../xds-proxy/src/owner/set-status.ts";
import { Cli } from "./harness.ts";

const DAY_SEC = 86_400;
let cli: Cli;
let first: NamespaceBundle;
let pin: PinFile;
beforeEach(async () => {
  cli = new Cli();
  await cli.init();
  pin = parsePin(cli.read("pin.json"), "pin.json");
  first = await publish("GET");
});
afterEach(() => {
  cli.remove();
});

const publish = async (...given: Parameters<Cli["publish"]>): Promise<NamespaceBundle> => await cli.publish(...given);

function findingsOf(bundle: NamespaceBundle, more: { pin?: PinFile } = {}): readonly Finding[] {
  return setStatus({ bundle, nowMs: cli.nowMs, ...more }).findings;
}

describe("status", () => {
  test("well, with and without proof", () => {
    expect(setStatus({ bundle: first, nowMs: cli.nowMs })).toMatchObject({ verified: false, findings: [] });
    expect(setStatus({ bundle: first, nowMs: cli.nowMs, pin })).toMatchObject({
      ...{ verified: true, findings: [] },
      summary: { ns: "team-a", root: { ep: 1 }, objectCount: 1, sealedCount: 0, firstExpiry: { what: "root 1" } },
    });
  });

  test("warns below half of the confirmation's life, and says when it is over", () => {
    cli.pass(DAY_SEC / 2);
    expect(findingsOf(first)).toEqual([]);
    cli.pass(1);
    expect(findingsOf(first)).toMatchObject([{ condition: "warning" }]);
    cli.pass(DAY_SEC / 2);
    expect(findingsOf(first)).toMatchObject([{ condition: "expired" }]);
    // Under a pin the same is said once.
    cli.pass(60);
    expect(findingsOf(first, { pin })).toMatchObject([{ condition: "expired" }]);
  });

  test("warns two weeks before anything runs out", () => {
    const long = { ...first };
    cli.pass(77 * DAY_SEC);
    expect(findingsOf(long).map(({ message }) => message)).toContain("root 1 runs out soon");
    cli.pass(14 * DAY_SEC);
    expect(findingsOf(long).map(({ message }) => message)).toContain("root 1 has run out");
  });

  test("a set that fresh is not about", async () => {
    const second = await publish("POST");
    expect(findingsOf({ ...second, fresh: first.fresh! })).toMatchObject([{ condition: "refused" }]);
    expect(findingsOf({ ...second, fresh: first.fresh! }, { pin })[0]).toMatchObject({ code: "SET_MISMATCH" });
  });

  test("what consumers refuse, by its code", () => {
    const left = { ...first, envelopes: [] };
    expect(findingsOf(left)).toEqual([]);
    expect(findingsOf(left, { pin })).toMatchObject([{ condition: "refused", code: "OMITTED" }]);
    expect(findingsOf({ ...first, roots: ["!"] }, { pin })).toMatchObject([{ condition: "refused", code: "PROTO" }]);
  });

  test("no verdict on other owners' namespaces", () => {
    const status = setStatus({ bundle: first, nowMs: cli.nowMs, pin: { ...pin, roots: { "team-b": "x" } } });
    expect(status).toMatchObject({ verified: false, findings: [] });
  });

  test("no verdict on what is sealed for others", async () => {
    await cli.good("keygen", "--recipient", "r.pem");
    await cli.good("seal", "-C", "team-a", "a.yaml", "--for", "r.recipient.json");
    const status = setStatus({ bundle: cli.bundle(), nowMs: cli.nowMs, pin });
    expect(status).toMatchObject({ verified: false, findings: [], summary: { objectCount: 1, sealedCount: 1 } });
  });

  test("the worst counts", () => {
    const finding = (condition: Finding["condition"]): Finding => ({ condition, message: "" });
    expect(conditionOf([])).toBe("ok");
    expect(conditionOf([finding("warning"), finding("expired")])).toBe("expired");
    expect(conditionOf([finding("expired"), finding("refused"), finding("warning")])).toBe("refused");
  });
});

describe("older", () => {
  test("versions of sets and their confirmations", async () => {
    const second = await publish("POST");
    const [before, after] = [summarize(first), summarize(second)];
    expect(olderThan(before, after)).toBeUndefined();
    expect(olderThan(after, after)).toBeUndefined();
    expect(olderThan(after, before)).toEqual({
      code: "ROLLBACK",
      message: `set ${after.set!.ver} is there, and this is ${before.set!.ver}`,
    });
    expect(olderThan(after, summarize({ ...second, fresh: first.fresh! }))).toMatchObject({ code: "ROLLBACK" });
  });

  test("the same version with another content", () => {
    const { set, ...rest } = summarize(first);
    expect(olderThan(summarize(first), { ...rest, set: { ...set!, cd: "another" } })).toEqual({
      code: "EQUIVOCATION",
      message: `another set ${set!.ver} is there`,
    });
  });

  test("roots, and a revocation that begins anew", async () => {
    const before = summarize(first);
    await cli.good("root", "rotate", "-C", "team-a", "--role", "cfg", "--revoke");
    const after = summarize(await publish("POST"));
    expect(olderThan(after, before)).toEqual({ code: "ROLLBACK", message: "root 2 is there, and this is 1" });
    const ahead = { ...before, set: { ...before.set!, ver: "18446744073709551615" } };
    expect(olderThan(ahead, after)).toBeUndefined();
  });
});
