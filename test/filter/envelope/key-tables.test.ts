/** Tables of pinned keys: the same verdicts with them, and never more of them than there is room for. */
import { beforeAll, expect, test } from "vitest";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow } from "../../host/gate.ts";
import { MESH, Owner, TRUST_DOMAIN } from "../../scenarios/owner.ts";
import { freshTestable } from "../testable.ts";
import type { Testable } from "../testable.ts";

const TABLES_MAX_COUNT = 16;
const POLICY_COUNT = 20;
const POLICIES = Array.from({ length: POLICY_COUNT }, (_, i) => allow(`/${i}`));

let owner: Owner;
let bundle: NamespaceBundle;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  bundle = await owner.bundle({ policies: POLICIES });
});

function verify(module: Testable, { ns, rootDigest }: Owner, statements: NamespaceBundle): string {
  const pin = { mesh: MESH, trustDomain: TRUST_DOMAIN, roots: { [ns]: rootDigest } };
  const text = JSON.stringify({ pin, ns, ...statements, want: { use: "cfg" }, nowMs: Date.now() });
  const verdict = module.call((memory) => {
    const { ptr, length } = memory.putText(text);
    return memory.takeString(module.fn("verifyCase")(ptr, length));
  });
  return (JSON.parse(verdict) as { result: string }).result;
}

const tables = (module: Testable): number => module.fn("envelopeKeyTableCount")();

/** The same statements, one bit of the signature of the last one changed. */
function tampered({ envelopes, ...rest }: NamespaceBundle): NamespaceBundle {
  const last = Buffer.from(envelopes.at(-1) ?? "", "base64url");
  const at = last.length - 1;
  last[at] = (last[at] ?? 0) ^ 1;
  return { ...rest, envelopes: [...envelopes.slice(0, -1), last.toString("base64url")] };
}

test("the key that signs most gets one, and verdicts stay what they were", () => {
  const module = freshTestable();
  expect(verify(module, owner, tampered(bundle))).toBe("SIGNATURE");
  expect(verify(module, owner, bundle)).toBe("ok");
  expect(tables(module)).toBe(1);
  expect(verify(module, owner, bundle)).toBe("ok");
  expect(verify(module, owner, tampered(bundle))).toBe("SIGNATURE");
});

test("a key that signs little gets none, nor does a root that is refused", async () => {
  const module = freshTestable();
  const small = await owner.bundle({ policies: [allow("/1")] });
  expect(verify(module, owner, small)).toBe("ok");
  const other = await Owner.create({ ns: "team-a" });
  for (let i = 0; i < 20; i++) expect(verify(module, other, bundle)).toBe("ROOT_INVALID");
  expect(tables(module)).toBe(0);
});

test("the next root of a namespace takes the place of the one before it", async () => {
  const module = freshTestable();
  const next = await owner.rotate();
  const later = await next.bundle({ policies: POLICIES, ver: "2" });
  expect(verify(module, owner, bundle)).toBe("ok");
  expect(verify(module, next, later)).toBe("ok");
  expect(tables(module)).toBe(1);
  expect(verify(module, owner, bundle)).toBe("ok");
  expect(verify(module, next, tampered(later))).toBe("SIGNATURE");
  expect(tables(module)).toBe(1);
});

test("a hundred roots in one VM share sixteen tables, and memory does not grow", { timeout: 60_000 }, async () => {
  const module = freshTestable();
  const owners = await Promise.all(Array.from({ length: 100 }, async (_, i) => Owner.create({ ns: `team-${i}` })));
  const bundles = await Promise.all(owners.map(async (one) => one.bundle({ policies: POLICIES })));
  const results: string[] = [];
  const pages: number[] = [];
  const most: number[] = [];
  for (let round = 0; round < 3; round++) {
    for (const [i, one] of owners.entries()) {
      const statements = bundles[i] ?? bundle;
      results.push(verify(module, one, i % 10 === round ? tampered(statements) : statements));
      most.push(tables(module));
    }
    pages.push(module.memory.buffer.byteLength);
  }
  expect(results.filter((result) => result === "SIGNATURE")).toHaveLength(30);
  expect(results.filter((result) => result === "ok")).toHaveLength(270);
  expect(Math.max(...most)).toBe(TABLES_MAX_COUNT);
  expect(pages[2]).toBe(pages[0]);
});
