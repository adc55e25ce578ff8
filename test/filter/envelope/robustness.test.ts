// Laws that hold for every input: no trap, no way around a signature, and the two verdicts of `deferTime` explain the one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { testable } from "../testable.ts";
import { type Members, NOW_SEC } from "./forge.ts";
import { namespaceCase, plain, recipientMember, root, rootDocument, sealed, verify, verifyDeferred } from "./owner.ts";

const listed = [plain("a"), sealed("b"), plain("c")];
const chain = [root(), root(rootDocument({ ep: 2 })), root(rootDocument({ ep: 3, minEp: 3 }))];
const statements = { roots: chain.slice(0, 2), recipient: recipientMember };
const whole = namespaceCase(listed, statements);
const current = verify(whole).state!;

/** One text of the case, replaced. */
function edited(place: number, edit: (bytes: Buffer) => Uint8Array): Members {
  const apply = (text: unknown): string =>
    Buffer.from(edit(Buffer.from(String(text), "base64url"))).toString("base64url");
  const texts = (name: string, index: number): Members => ({
    [name]: (whole[name] as string[]).map((text, i) => (i === index ? apply(text) : text)),
  });
  if (place < 2) return { ...whole, ...texts("roots", place) };
  if (place < 5) return { ...whole, ...texts("envelopes", place - 2) };
  return place === 5 ? { ...whole, fresh: apply(whole["fresh"]) } : { ...whole, set: apply(whole["set"]) };
}

const place = fc.integer({ min: 0, max: 6 });
/** Tags of the fields that carriers may add: id, push, from, path, ttl. */
const CARRIER_TAGS = [0x0a, 0x12, 0x2a, 0x32, 0x48];
const tail = fc.uint8Array({ minLength: 1, maxLength: 3 }).filter(([tag]) => !CARRIER_TAGS.includes(tag!));
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function explain(conformanceCase: Members): string {
  const plainly = verify(conformanceCase);
  const deferred = verifyDeferred(conformanceCase);
  const { time } = deferred;
  const isFine = deferred.result === "ok" && time?.result === "ok";
  expect(plainly.result === "ok").toBe(isFine);
  if (!isFine) expect([{ result: deferred.result, where: deferred.where }, time]).toContainEqual(plainly);
  return plainly.result;
}

describe("every input", () => {
  it("is accepted as it was made", () => {
    expect(explain(whole)).toBe("ok");
  });

  it("is refused with any bit changed, unless carriers may change it", () => {
    fc.assert(
      fc.property(place, fraction, fc.integer({ min: 0, max: 7 }), (where, at, bit) => {
        const result = explain(
          edited(where, (bytes) => {
            bytes[Math.floor(at * bytes.length)]! ^= 1 << bit;
            return bytes;
          }),
        );
        expect(result).not.toBe("ok");
      }),
      { numRuns: 300 },
    );
  });

  it("is refused when it is cut off or longer", () => {
    fc.assert(
      fc.property(place, fraction, tail, (where, at, more) => {
        expect(explain(edited(where, (bytes) => bytes.subarray(0, at * bytes.length)))).not.toBe("ok");
        expect(explain(edited(where, (bytes) => Buffer.concat([bytes, more])))).not.toBe("ok");
      }),
      { numRuns: 100 },
    );
  });

  it("has both verdicts explained at every time and after every state", () => {
    const shift = fc.oneof(fc.integer({ min: -4000, max: 4000 }), fc.integer({ min: -1e9, max: 1e9 }));
    const small = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(shift, shift, small, small, small, (nowShift, iatShift, ep, minEp, roots) => {
        const state = { ...current, ep, minEp, iatMax: Math.max(0, NOW_SEC + iatShift) };
        explain({ ...whole, roots: chain.slice(0, roots), nowMs: (NOW_SEC + nowShift) * 1000, state });
      }),
      { numRuns: 200 },
    );
  });

  it("never traps the reader of envelopes", () => {
    const wasm = testable();
    const readCode = (bytes: Uint8Array, use: number): number =>
      wasm.call((memory) => {
        const text = memory.putText(Buffer.from(bytes).toString("base64url"));
        return wasm.fn("envelopeReadCode")(text.ptr, text.length, use);
      });
    const real = Buffer.from(listed[0]!.text, "base64url");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fraction, fc.integer({ min: 0, max: 6 }), (bytes, at, use) => {
        expect(readCode(bytes, use)).toBeLessThanOrEqual(5);
        const cut = Math.floor(at * real.length);
        expect(readCode(Buffer.concat([real.subarray(0, cut), bytes, real.subarray(cut)]), use)).toBeLessThanOrEqual(5);
      }),
      { numRuns: 1_000 },
    );
  });
});
