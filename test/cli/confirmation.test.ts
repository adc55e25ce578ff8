/** What an online signer confirms, and what it refuses to, whatever somebody has put into the object. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { decodeSigningKeyPem } from "../../xds-proxy/src/crypto/key-files.ts";
import { digestOf } from "../../xds-proxy/src/crypto/sha256.ts";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import { VerifyError } from "../../xds-proxy/src/errors.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import {
  confirmed,
  readConfirmation,
  renewalAtSec,
  type Confirmation,
} from "../../xds-proxy/src/owner/confirmation.ts";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import { parsePin } from "../../xds-proxy/src/owner/pin.ts";
import { signFresh } from "../../xds-proxy/src/owner/publish.ts";
import { Cli, policyYaml } from "./harness.ts";

const DAY_SEC = 86_400;
let cli: Cli;
let first: NamespaceBundle;
beforeEach(async () => {
  cli = new Cli();
  await cli.init();
  first = await publish("GET");
});
afterEach(() => {
  cli.remove();
});

const publish = async (...given: Parameters<Cli["publish"]>): Promise<NamespaceBundle> => await cli.publish(...given);

function without({ roots, envelopes, ...texts }: NamespaceBundle, name: "set" | "fresh"): NamespaceBundle {
  return { roots, envelopes, ...Object.fromEntries(Object.entries(texts).filter(([key]) => key !== name)) };
}

function read(bundle: NamespaceBundle, more: { others?: string[]; seen?: TrustState } = {}): Confirmation {
  const pin = parsePin(cli.read("pin.json"), "pin.json");
  return readConfirmation({ pin, ns: "team-a", bundle, others: [], nowMs: cli.nowMs, seen: undefined, ...more });
}

/** The code and the place of the refusal. */
function refusalOf(...given: Parameters<typeof read>): readonly string[] {
  try {
    read(...given);
  } catch (error) {
    if (error instanceof VerifyError) return [error.code, error.where];
    throw error;
  }
  throw new Error("was not refused");
}

/** A statement by the fresh key, or by somebody else's. */
async function freshFor(bundle: NamespaceBundle, ver?: string, key?: SigningKey): Promise<string> {
  const { claims, data } = claimsOf(bundle.set!);
  const signer = key ?? decodeSigningKeyPem(cli.read("team-a/keys/fresh.pem"));
  const identity = {
    ...{ ns: "team-a", mesh: "prod", trustDomain: "cluster.local", sub: "mailto:a@example.com", ep: claims.ep },
    ...{ lifetimeSec: DAY_SEC, freshSec: DAY_SEC },
  };
  const set = { ver: claims.ver!, cd: digestOf(data) };
  return await signFresh({
    identity,
    nowMs: cli.nowMs,
    set,
    ...(ver !== undefined && { ver }),
    freshSigners: [signer],
  });
}

describe("when it is due", () => {
  test("at half of the life of what is there", () => {
    const { iat, exp } = claimsOf(first.fresh!).claims;
    expect(renewalAtSec(read(first))).toBe((iat + exp) / 2);
  });

  test("at once for a new set that nobody has confirmed", async () => {
    const second = await publish("POST");
    expect(renewalAtSec(read({ ...second, fresh: first.fresh! }))).toBe(0);
    expect(renewalAtSec(read(without(second, "fresh")))).toBe(0);
  });

  test("at once when a stranger's statement is in its place", async () => {
    const stranger = await freshFor(first, "18446744073709551615", SigningKey.generate());
    const found = read(first, { others: [stranger] });
    expect([found.strangers, renewalAtSec(found)]).toEqual([true, 0]);
    expect(read(first, { others: [first.fresh!] }).strangers).toBe(false);
  });
});

describe("versions", () => {
  test("grow above the larger one of those that are there", async () => {
    const ahead = String(cli.nowMs + 5_000);
    const found = read(first, { others: [await freshFor(first, ahead)] });
    expect([found.fresh?.ver, found.nextVer]).toEqual([ahead, String(cli.nowMs + 5_001)]);
    cli.pass(60);
    expect(read(first).nextVer).toBe(String(cli.nowMs));
  });

  test("grow above one that somebody has taken away again", () => {
    const found = read(first);
    const ahead = String(cli.nowMs + 5_000);
    const seen = confirmed(found, { ver: ahead, cd: "cd" });
    expect(read(first, { seen }).nextVer).toBe(String(cli.nowMs + 5_001));
    expect(read(first, { seen }).seen).toMatchObject({ freshVer: ahead, freshCd: "cd" });
  });

  test("a stranger's does not count", async () => {
    const stranger = await freshFor(first, "18446744073709551615", SigningKey.generate());
    expect(read(first, { others: [stranger] }).nextVer).toBe(String(BigInt(claimsOf(first.fresh!).claims.ver!) + 1n));
  });
});

describe("refuses", () => {
  test("a set that is older than one it has seen, also when nothing else remembers that", async () => {
    const second = await publish("POST");
    const { seen } = read(second);
    expect(refusalOf(first, { seen })).toEqual(["ROLLBACK", "set"]);
    expect(read(second, { seen }).set.ver).toBe(claimsOf(second.set!).claims.ver);
  });

  test("a set that is older than one that was confirmed", async () => {
    const second = await publish("POST");
    expect(refusalOf(first, { others: [second.fresh!] })).toEqual(["ROLLBACK", "set"]);
    // Also when its time is over: it is a proof all the same.
    cli.pass(2 * DAY_SEC);
    expect(refusalOf({ ...first, fresh: second.fresh! })).toEqual(["ROLLBACK", "set"]);
  });

  test("another set with the version of one it has seen", () => {
    const { seen } = read(first);
    expect(refusalOf(first, { seen: { ...seen, setCd: "another" } })).toEqual(["EQUIVOCATION", "set"]);
  });

  test("an older root", async () => {
    const old = cli.bundle();
    await cli.good("root", "change", "-C", "team-a", "--mode", "monitor");
    const { seen } = read(cli.bundle());
    expect(refusalOf(old, { seen })).toEqual(["ROLLBACK", "set"]);
  });

  test("a set that the cfg keys did not sign", async () => {
    const forger = new Cli();
    await forger.init();
    forger.write("a.yaml", policyYaml("a"));
    await forger.good("sign", "-C", "team-a", "a.yaml");
    expect(refusalOf({ ...first, set: forger.bundle().set! })).toEqual(["KEY_UNKNOWN", "set"]);
    expect(refusalOf(forger.bundle())).toEqual(["ROOT_INVALID", "roots"]);
    forger.remove();
  });

  test.each([
    ["a changed letter", (set: string): string => `${set.slice(0, 60)}A${set.slice(61)}`, "DIGEST"],
    ["a statement of another kind", (): string => first.envelopes[0]!, "USE"],
    ["no envelope", (): string => "!", "PROTO"],
  ])("%s in the place of the set", (_, change, code) => {
    expect(refusalOf({ ...first, set: change(first.set!) })).toEqual([code, "set"]);
  });

  test("no set", () => {
    expect(refusalOf(without(first, "set"))).toEqual(["SET_MISMATCH", "set"]);
  });

  test("what has run out", async () => {
    const short = await publish("PUT", "--lifetime", "2d");
    cli.pass(2 * DAY_SEC + 1);
    expect(refusalOf(short)).toEqual(["EXPIRED", "set"]);
    cli.pass(90 * DAY_SEC);
    expect(refusalOf(first)).toEqual(["EXPIRED", "roots[0]"]);
  });
});

test("a revocation begins the versions anew", async () => {
  const { seen } = read(first);
  const ahead = { ...seen, setVer: "18446744073709551614", freshVer: "18446744073709551614" };
  expect(refusalOf(first, { seen: ahead })).toEqual(["ROLLBACK", "set"]);
  await cli.good("root", "rotate", "-C", "team-a", "--role", "cfg", "--revoke");
  const second = await publish("POST");
  expect(read(second, { seen: ahead }).seen).toMatchObject({
    ep: 2,
    minEp: 2,
    setVer: claimsOf(second.set!).claims.ver,
  });
});
