import { describe, expect, it } from "vitest";
import { NOW_SEC, NS, digestText, json, newRecipient, sha256 } from "./forge.ts";
import {
  type Listed,
  namespaceCase,
  pinOf,
  plain,
  policy,
  recipient,
  recipientMember,
  root,
  rootDocument,
  sealed,
  setAndFresh,
  setDocument,
  verify,
} from "./owner.ts";

const payload = (data: Uint8Array): string => sha256(data).toString("hex");

describe("a namespace", () => {
  it("gives its payloads, the next state and the times", () => {
    const listed = [plain("a"), plain("b")];
    const document = rootDocument();
    const set = json(setDocument(listed));
    expect(verify(namespaceCase(listed))).toEqual({
      result: "ok",
      payloads: [payload(policy("a")), payload(policy("b"))],
      state: {
        ep: 1,
        minEp: 1,
        rootCd: digestText(json(document)),
        setVer: "7",
        setCd: digestText(set),
        freshVer: "9",
        freshCd: digestText(json({ kind: "Fresh", set: { ver: "7", cd: digestText(set) } })),
        iatMax: NOW_SEC - 60,
      },
      freshExpSec: NOW_SEC + 3600,
      expiresAtSec: NOW_SEC + 3600,
    });
  });

  it("may be empty", () => {
    expect(verify(namespaceCase([]))).toMatchObject({ result: "ok", payloads: [] });
  });

  it("takes iatMax from the newest and expiresAtSec from the shortest-lived statement", () => {
    const times = [
      plain("a", { claims: { iat: NOW_SEC + 30, exp: NOW_SEC + 9000 } }),
      plain("b", { claims: { exp: NOW_SEC + 10 } }),
    ];
    expect(verify(namespaceCase(times))).toMatchObject({
      result: "ok",
      state: { iatMax: NOW_SEC + 30 },
      expiresAtSec: NOW_SEC + 10,
      freshExpSec: NOW_SEC + 3600,
    });
  });

  it("opens what is sealed for the consumer", () => {
    const verdict = verify(namespaceCase([sealed("a"), plain("b")], { recipient: recipientMember }));
    expect(verdict).toMatchObject({ result: "ok", payloads: [payload(policy("a")), payload(policy("b"))] });
  });

  it("verifies and lists what is sealed for somebody else, and gives no payload of it", () => {
    const other = newRecipient();
    const listed = [sealed("a"), sealed("a", other), sealed("b", other)];
    const verdict = verify(namespaceCase(listed, { recipient: recipientMember }));
    expect(verdict).toMatchObject({ result: "ok", payloads: [payload(policy("a"))] });
  });

  it("asks of a consumer only what it must have", () => {
    const other = newRecipient();
    const listed = [sealed("a"), sealed("a", other), sealed("b", other), plain("c")];
    const withOnly = (...names: Listed[]): unknown =>
      verify(namespaceCase(listed, { envelopes: names.map((item) => item.text), recipient: recipientMember })).result;
    const [mine, , , open] = listed;
    expect(withOnly(mine!, open!)).toBe("ok");
    expect(withOnly(mine!)).toBe("OMITTED");
    expect(withOnly(open!)).toBe("OMITTED");
  });

  it("does not hear of a sealed policy without its key", () => {
    expect(verify(namespaceCase([sealed("a")])).result).toBe("RECIPIENT");
    expect(verify(namespaceCase([sealed("a", newRecipient())], { recipient: recipientMember }))).toEqual({
      result: "RECIPIENT",
      where: "set",
    });
  });

  it("does not open or judge the inside of what is not wanted", () => {
    const spoiled = sealed("a", recipient, { text: Buffer.from("no preamble") });
    const listed = [spoiled, plain("b")];
    const name = `${NS}/b`;
    expect(verify(namespaceCase(listed, { recipient: recipientMember })).result).toBe("INNER_MISMATCH");
    expect(verify(namespaceCase(listed, { recipient: recipientMember, want: { use: "cfg", name } }))).toMatchObject({
      result: "ok",
      payloads: [payload(policy("b"))],
    });
    const other = { use: "cfg", rt: "example.com/v1/Other" };
    expect(verify(namespaceCase(listed, { recipient: recipientMember, want: other }))).toMatchObject({
      result: "ok",
      payloads: [],
    });
  });

  it("judges the payload of a plain statement that is not wanted", () => {
    const listed = [plain("a", { data: json({ kind: "Nothing" }) })];
    expect(verify(namespaceCase(listed, { want: { use: "cfg", name: `${NS}/b` } })).result).toBe("PAYLOAD");
  });

  it.each([
    ["not listed", [plain("a"), plain("b")], [plain("a")], "NOT_IN_SET", "envelopes[1]"],
    ["another version", [plain("a", { ver: "2" })], [plain("a")], "MIXED", "envelopes[0]"],
    ["another digest", [plain("a", { data: policy("a", { x: 1 }) })], [plain("a")], "MIXED", "envelopes[0]"],
    ["twice", [plain("a"), plain("a")], [plain("a")], "MIXED", "envelopes[1]"],
    ["sealed instead of plain", [sealed("a")], [plain("a")], "MIXED", "envelopes[0]"],
    ["omitted", [plain("b")], [plain("a"), plain("b")], "OMITTED", "set"],
  ])("refuses a statement that is %s", (_, sent, listed, result, where) => {
    const changes = { envelopes: sent.map((item) => item.text), recipient: recipientMember };
    expect(verify(namespaceCase(listed, changes))).toEqual({ result, where });
  });

  it.each([
    ["fresh", "FRESH_STALE"],
    ["set", "SET_MISMATCH"],
  ])("refuses without %s", (member, result) => {
    expect(verify(namespaceCase([plain("a")], { [member]: undefined }))).toEqual({ result, where: member });
  });

  it("refuses a set that fresh does not name", () => {
    const listed = [plain("a")];
    const { set } = setAndFresh(setDocument(listed), { ver: "8" });
    expect(verify(namespaceCase(listed, { set }))).toEqual({ result: "SET_MISMATCH", where: "set" });
    const other = setAndFresh(setDocument([])).set;
    expect(verify(namespaceCase(listed, { set: other }))).toEqual({ result: "SET_MISMATCH", where: "set" });
  });

  it("wants cfg and nothing else", () => {
    expect(verify(namespaceCase([], { want: { use: "set" } }))).toEqual({ result: "USE", where: "want" });
  });
});

describe("the state of a namespace", () => {
  const listed = [plain("a")];
  const current = verify(namespaceCase(listed)).state!;
  const after = (state: object): unknown => {
    const { result, where } = verify(namespaceCase(listed, { state: { ...current, ...state } }));
    return where === undefined ? result : [result, where];
  };

  it.each([
    ["itself", {}, "ok"],
    ["older versions", { setVer: "6", freshVer: "8", setCd: current["rootCd"], freshCd: current["rootCd"] }, "ok"],
    ["a newer root", { ep: 2 }, ["ROLLBACK", "state"]],
    ["a raised minEp", { ep: 2, minEp: 2 }, ["ROLLBACK", "state"]],
    ["a newer set", { setVer: "8" }, ["ROLLBACK", "state"]],
    ["a newer fresh", { freshVer: "10" }, ["ROLLBACK", "state"]],
    ["versions beyond 2^63", { setVer: "18446744073709551615" }, ["ROLLBACK", "state"]],
    ["another root of this epoch", { rootCd: current["setCd"] }, ["EQUIVOCATION", "state"]],
    ["another set of this version", { setCd: current["rootCd"] }, ["EQUIVOCATION", "state"]],
    ["another fresh of this version", { freshCd: current["rootCd"] }, ["EQUIVOCATION", "state"]],
    ["an older root than the pinned one", { ep: 0, minEp: 1, rootCd: current["setCd"] }, "ok"],
    ["a raised minEp now, which forgets the versions", { ep: 0, minEp: 0, setVer: "8", freshVer: "10" }, "ok"],
    ["a time in which fresh has expired", { iatMax: NOW_SEC + 3661 }, ["FRESH_STALE", "fresh"]],
    ["that time, forgotten by a raised minEp", { ep: 0, minEp: 0, iatMax: NOW_SEC + 99_999 }, "ok"],
  ])("after %s", (_, state, expected) => {
    expect(after(state)).toEqual(expected);
  });

  it("keeps the larger iatMax, unless it is reset", () => {
    const iatMaxAfter = (state: object): unknown =>
      verify(namespaceCase(listed, { state: { ...current, ...state } })).state?.["iatMax"];
    expect(iatMaxAfter({ iatMax: NOW_SEC })).toBe(NOW_SEC);
    expect(iatMaxAfter({ iatMax: 5 })).toBe(NOW_SEC - 60);
    expect(iatMaxAfter({ iatMax: NOW_SEC, ep: 0, minEp: 0 })).toBe(NOW_SEC - 60);
  });

  it("finds the known root inside a longer chain", () => {
    const first = rootDocument();
    const second = rootDocument({ ep: 2 });
    const chain = { pin: pinOf(first), roots: [root(first), root(second)] };
    expect(verify(namespaceCase(listed, { ...chain, state: current })).result).toBe("ok");
    const state = { ...current, rootCd: digestText(json(second)) };
    expect(verify(namespaceCase(listed, { ...chain, state })).result).toBe("EQUIVOCATION");
    expect(verify(namespaceCase(listed, { ...chain, state: { ...state, ep: 2 } })).result).toBe("ok");
  });
});
