// What Envoy's configure asks: the verdict that every thread reaches, apart from the one of this moment.
import { describe, expect, it } from "vitest";
import { type Members, NOW_SEC, digestText, json } from "./forge.ts";
import {
  type Verdict,
  namespaceCase,
  pinOf,
  plain,
  root,
  rootDocument,
  setAndFresh,
  setDocument,
  verify,
  verifyDeferred,
} from "./owner.ts";

const listed = [plain("a")];
const past = { iat: NOW_SEC - 7200, exp: NOW_SEC - 3600 };
const future = { iat: NOW_SEC + 7200, exp: NOW_SEC + 9000 };
const state = verify(namespaceCase(listed)).state!;
const faulty = { envelopes: ["!"] };
const pinnedBefore = [root(rootDocument(), future), root(rootDocument({ ep: 2 }))];

const moments: [string, Members, string, string][] = [
  ["an expired root", { roots: [root(rootDocument(), past)] }, "EXPIRED", "roots[0]"],
  ["a root of the future", { roots: [root(rootDocument(), future)] }, "NOT_YET_VALID", "roots[0]"],
  ["an earlier root of the future", { roots: pinnedBefore }, "ROOT_INVALID", "roots[0]"],
  ["an expired fresh", setAndFresh(setDocument(listed), { fresh: past }), "FRESH_STALE", "fresh"],
  ["a fresh of the future", setAndFresh(setDocument(listed), { fresh: future }), "NOT_YET_VALID", "fresh"],
  ["an expired set", setAndFresh(setDocument(listed), { set: past }), "EXPIRED", "set"],
  ["an expired statement", { envelopes: [plain("a", { claims: past }).text] }, "EXPIRED", "envelopes[0]"],
  ["iatMax beyond the clock", { state: { ...state, iatMax: NOW_SEC + 4000 } }, "FRESH_STALE", "fresh"],
  ["an older set", { state: { ...state, setVer: "8" } }, "ROLLBACK", "state"],
  ["another set", { state: { ...state, setCd: digestText(json({})) } }, "EQUIVOCATION", "state"],
];

describe("with deferTime", () => {
  it("nothing is wrong with what is right", () => {
    const { time, ...verdict } = verifyDeferred(namespaceCase(listed));
    expect(time).toEqual({ result: "ok", where: "" });
    expect(verdict).toEqual(verify(namespaceCase(listed)));
  });

  it.each(moments)("%s is told apart, and the rest is right", (_, changes, result, where) => {
    expect(verify(namespaceCase(listed, changes))).toEqual({ result, where });
    const verdict = verifyDeferred(namespaceCase(listed, changes));
    expect(verdict).toMatchObject({ result: "ok", time: { result, where } });
    expect(verdict.payloads).toHaveLength(1);
  });

  it.each(moments.filter(([, changes]) => !("envelopes" in changes) && !("state" in changes)))(
    "%s does not hide a later fault of the bytes",
    (_, changes, result, where) => {
      const verdict = verifyDeferred(namespaceCase(listed, { ...changes, ...faulty }));
      expect(verdict).toEqual({ result: "PROTO", where: "envelopes[0]", time: { result, where } });
    },
  );

  it("the first fault of the moment is kept", () => {
    const expired = {
      ...setAndFresh(setDocument(listed), { fresh: past, set: past }),
      state: { ...state, setVer: "8" },
    };
    expect(verifyDeferred(namespaceCase(listed, expired)).time).toEqual({ result: "FRESH_STALE", where: "fresh" });
  });

  it.each<[string, Members, Verdict]>([
    ["a missing fresh", { fresh: undefined }, { result: "FRESH_STALE", where: "fresh" }],
    ["a missing set", { set: undefined }, { result: "SET_MISMATCH", where: "set" }],
    ["a gap", { roots: [root(), root(rootDocument({ ep: 3 }))] }, { result: "ROOT_GAP", where: "roots[1]" }],
    [
      "a root that lives too long",
      { roots: [root(rootDocument(), { exp: NOW_SEC + 500 * 86_400 })] },
      { result: "TTL_TOO_LONG", where: "roots[0]" },
    ],
    ["a foreign pin", { pin: pinOf(rootDocument({ ep: 9 })) }, { result: "ROOT_INVALID", where: "roots" }],
  ])("%s is a fault of the bytes", (_, changes, expected) => {
    expect(verifyDeferred(namespaceCase(listed, changes))).toEqual({ ...expected, time: { result: "ok", where: "" } });
  });

  it("the verdict on the bytes is the same at every time and after every state", () => {
    const at = (changes: Members): unknown => {
      const { result, payloads } = verifyDeferred(namespaceCase(listed, changes));
      return { result, payloads };
    };
    const expected = at({});
    for (const nowMs of [0, 1, NOW_SEC * 1000 + 1e10, Number.MAX_SAFE_INTEGER]) {
      expect(at({ nowMs })).toEqual(expected);
      expect(at({ nowMs, state: { ...state, ep: 9, setVer: "99", iatMax: Number.MAX_SAFE_INTEGER } })).toEqual(
        expected,
      );
    }
  });
});
