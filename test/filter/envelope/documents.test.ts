import { describe, expect, it } from "vitest";
import { CFG_TYPE, type Members, NS, digestText, keyId, newRecipient, statement, json } from "./forge.ts";
import { cfgKey, freshKey, setAndFresh, singleCase, verify } from "./owner.ts";
import { testable } from "../testable.ts";
import { ConfigError } from "../../../xds-proxy/src/errors.ts";
import { parsePin } from "../../../xds-proxy/src/owner/pin.ts";

const cd = digestText(Buffer.from("x"));
const [first, second] = [newRecipient(), newRecipient()].map((each) => keyId(each.publicKey)).sort() as [
  string,
  string,
];
const entry = (name: string, changes: Members = {}): Members => ({
  rt: CFG_TYPE,
  name,
  ver: "1",
  cds: [{ cd }],
  ...changes,
});

describe("a set document", () => {
  const check = (changes: Members): string => {
    const document = { kind: "Set", rcps: [], entries: [], ...changes };
    return verify(singleCase("set", [setAndFresh(document).set])).result;
  };
  const both = { rcps: [first, second] };

  it.each<[string, Members]>([
    ["nothing", {}],
    ["plain entries", { entries: [entry("a"), entry("b")] }],
    ["one name of two types", { entries: [entry("b", { rt: "a" }), entry("a", { rt: "b" })] }],
    ["a name that is a prefix of the next", { entries: [entry("a"), entry("ab")] }],
    ["names by UTF-8, not by UTF-16", { entries: [entry("\uffee"), entry("\u{10000}")] }],
    ["recipients of nothing", both],
    ["a sealed entry", { ...both, entries: [entry("a", { cds: [{ cd, rcp: first }] })] }],
    [
      "an entry sealed twice",
      {
        ...both,
        entries: [
          entry("a", {
            cds: [
              { cd, rcp: first },
              { rcp: second, cd },
            ],
          }),
        ],
      },
    ],
  ])("may list %s", (_, changes) => {
    expect(check(changes)).toBe("ok");
  });

  it.each<[string, Members]>([
    ["another kind", { kind: "set" }],
    ["a member more", { x: 1 }],
    ["no recipients", { rcps: undefined }],
    ["recipients that are no array", { rcps: {} }],
    ["recipients in another order", { rcps: [second, first] }],
    ["a recipient twice", { rcps: [first, first] }],
    ["a recipient of 23 characters", { rcps: [`${first}A`] }],
    ["a recipient with unused bits", { rcps: [`${"A".repeat(21)}B`] }],
    ["a recipient that is no text", { rcps: [1] }],
    ["names in another order", { entries: [entry("b"), entry("a")] }],
    ["names by UTF-16", { entries: [entry("\u{10000}"), entry("\uffee")] }],
    ["types in another order", { entries: [entry("a", { rt: "b" }), entry("b", { rt: "a" })] }],
    ["an entry twice", { entries: [entry("a"), entry("a", { ver: "2" })] }],
    ["an entry that is no object", { entries: ["a"] }],
    ["an entry with a member more", { entries: [entry("a", { x: 1 })] }],
    ["an entry without ver", { entries: [entry("a", { ver: undefined })] }],
    ["a ver that is a number", { entries: [entry("a", { ver: 1 })] }],
    ["a ver with a leading zero", { entries: [entry("a", { ver: "01" })] }],
    ["no cds", { entries: [entry("a", { cds: [] })] }],
    ["two plain cds", { entries: [entry("a", { cds: [{ cd }, { cd }] })] }],
    ["a plain cd beside a sealed one", { ...both, entries: [entry("a", { cds: [{ cd }, { cd, rcp: first }] })] }],
    ["a sealed cd beside a plain one", { ...both, entries: [entry("a", { cds: [{ cd, rcp: first }, { cd }] })] }],
    [
      "cds in another order",
      {
        ...both,
        entries: [
          entry("a", {
            cds: [
              { cd, rcp: second },
              { cd, rcp: first },
            ],
          }),
        ],
      },
    ],
    [
      "one recipient twice",
      {
        ...both,
        entries: [
          entry("a", {
            cds: [
              { cd, rcp: first },
              { cd, rcp: first },
            ],
          }),
        ],
      },
    ],
    ["an unlisted recipient", { rcps: [first], entries: [entry("a", { cds: [{ cd, rcp: second }] })] }],
    ["an empty recipient", { ...both, entries: [entry("a", { cds: [{ cd, rcp: "" }] })] }],
    ["a digest of 42 characters", { entries: [entry("a", { cds: [{ cd: cd.slice(1) }] })] }],
    ["a digest with unused bits", { entries: [entry("a", { cds: [{ cd: `${"A".repeat(42)}B` }] })] }],
    ["a member more in cds", { entries: [entry("a", { cds: [{ cd, x: 1 }] })] }],
    ["a negative number", { entries: [entry("a", { ver: -1 })] }],
  ])("may not have %s", (_, changes) => {
    expect(check(changes)).toBe("PAYLOAD");
  });
});

describe("a fresh document", () => {
  const check = (document: unknown): string =>
    verify(
      singleCase("fresh", [
        statement({ use: "fresh", data: json(document), claims: { ver: "1" }, signers: [freshKey] }),
      ]),
    ).result;

  it.each<[string, unknown, string]>([
    ["what it needs", { kind: "Fresh", set: { ver: "1", cd } }, "ok"],
    ["another order", { set: { cd, ver: "1" }, kind: "Fresh" }, "ok"],
    ["another kind", { kind: "Set", set: { ver: "1", cd } }, "PAYLOAD"],
    ["a member more", { kind: "Fresh", set: { ver: "1", cd }, x: 1 }, "PAYLOAD"],
    ["a member more in set", { kind: "Fresh", set: { ver: "1", cd, x: 1 } }, "PAYLOAD"],
    ["no set", { kind: "Fresh" }, "PAYLOAD"],
    ["a ver that is a number", { kind: "Fresh", set: { ver: 1, cd } }, "PAYLOAD"],
    ["a ver that is no u64", { kind: "Fresh", set: { ver: "x", cd } }, "PAYLOAD"],
    ["a short digest", { kind: "Fresh", set: { ver: "1", cd: "AAAA" } }, "PAYLOAD"],
    ["an array", [], "PAYLOAD"],
  ])("with %s", (_, document, result) => {
    expect(check(document)).toBe(result);
  });
});

describe("wanted type and name", () => {
  const want = (use: string, members: Members): string => {
    const { set, fresh } = setAndFresh({ kind: "Set", rcps: [], entries: [] });
    const text = { set, fresh, cfg: cfg() }[use]!;
    return verify(singleCase(use, [text], { want: { use, ...members } })).result;
  };
  const cfg = (): string =>
    statement({
      use: "cfg",
      data: json({ apiVersion: "v1", kind: "A", metadata: { name: "n", namespace: NS }, spec: {} }),
      claims: { rt: "v1/A", name: `${NS}/n`, ver: "1" },
      signers: [cfgKey],
    });

  it.each<[string, Members, string]>([
    ["cfg", { rt: "v1/A", name: `${NS}/n` }, "ok"],
    ["cfg", { rt: "v1/B", name: "x" }, "TYPE"],
    ["cfg", { name: "x" }, "NAME"],
    ["cfg", { name: "" }, "NAME"],
    ["set", { rt: "v1/A" }, "TYPE"],
    ["fresh", { name: "x" }, "NAME"],
  ])("of a %s: %j", (use, members, result) => {
    expect(want(use, members)).toBe(result);
  });
});

describe("pin and state", () => {
  const call = (name: string, document: unknown): number => {
    const wasm = testable();
    return wasm.call((memory) => {
      const text = memory.putText(JSON.stringify(document));
      return wasm.fn(name)(text.ptr, text.length);
    });
  };
  const pinWith = (changes: Members): Members => ({
    role: "policy",
    mesh: "mesh",
    trustDomain: "example.com",
    rootNamespace: "istio-system",
    roots: { "team-a": cd },
    ...changes,
  });
  const isPin = (changes: Members): boolean => call("envelopeIsPin", pinWith(changes)) === 1;
  const isPinFile = (changes: Members): boolean => {
    try {
      parsePin(JSON.stringify(pinWith(changes)), "pin.json");
      return true;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  };
  const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `td-${i}`);

  it.each<[Members, boolean]>([
    [{}, true],
    [{ role: "ads" }, true],
    [{ rootNamespace: "" }, true],
    [{ roots: {} }, true],
    [{ role: "guard" }, false],
    [{ role: undefined }, false],
    [{ mesh: "Mesh" }, false],
    [{ trustDomain: "" }, false],
    [{ rootNamespace: "a.b" }, false],
    [{ roots: { "team-a": "AAAA" } }, false],
    [{ roots: { "Team-A": cd } }, false],
    [{ roots: [] }, false],
    [{ x: 1 }, false],
    [{ trustDomainAliases: ["old.example"] }, true],
    [{ trustDomainAliases: names(16) }, true],
    [{ trustDomainAliases: names(17) }, false],
    [{ trustDomainAliases: [] }, false],
    [{ trustDomainAliases: null }, false],
    [{ trustDomainAliases: "old.example" }, false],
    [{ trustDomainAliases: { a: "old.example" } }, false],
    [{ trustDomainAliases: ["old.example", "a", "old.example"] }, false],
    [{ trustDomainAliases: ["a", "example.com"] }, false],
    [{ trustDomainAliases: ["Old.example"] }, false],
    [{ trustDomainAliases: ["*.example"] }, false],
    [{ trustDomainAliases: [""] }, false],
    [{ trustDomainAliases: ["a", 1] }, false],
  ])("a pin with %j: %s, for filter and command line", (changes, accepted) => {
    expect(isPin(changes)).toBe(accepted);
    expect(isPinFile(changes)).toBe(accepted);
  });

  const state = {
    ep: 3,
    minEp: 2,
    rootCd: cd,
    setVer: "18446744073709551615",
    setCd: cd,
    freshVer: "0",
    freshCd: cd,
    iatMax: 9,
  };
  const respell = (document: unknown): string => {
    const wasm = testable();
    return wasm.call((memory) => {
      const text = memory.putText(JSON.stringify(document));
      return memory.takeString(wasm.fn("envelopeRespellState")(text.ptr, text.length));
    });
  };

  it("a state comes back as it was", () => {
    expect(respell(state)).toBe(JSON.stringify(state));
  });

  it.each<Members>([
    { ep: "3" },
    { setVer: 1 },
    { setVer: "-1" },
    { rootCd: "" },
    { iatMax: -1 },
    { iatMax: undefined },
    { x: 1 },
  ])("is no state with %j", (changes) => {
    expect(respell({ ...state, ...changes })).toBe("");
  });
});
