import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CODES } from "../../xds-proxy/src/gen/codes.ts";
import type { CaseFile } from "../corpus/case.ts";
import { caseText, corpus } from "../corpus/corpus.ts";
import { agrees, runFilter, runTypeScript } from "../corpus/run.ts";
import type { EnvelopeVerdict } from "../conformance/envelope-case.ts";

const FOLDER = new URL("../vectors/envelope/", import.meta.url);
const CASE_COUNT = 750;
const REFUSED_COUNT = 604;
/** What a `spec` means is for its consumer; no envelope provokes it. */
const NOT_OF_ENVELOPES = ["UNSUPPORTED"];

const texts = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name.replace(/\.json$/, ""), readFileSync(new URL(name, FOLDER), "utf8")]),
);
const cases = [...texts].map(([name, text]) => [name, JSON.parse(text) as CaseFile] as const);

/** Names of the cases on which an implementation is of another mind. */
function disagreements(run: (file: CaseFile) => EnvelopeVerdict): readonly string[] {
  return cases.flatMap(([name, file]) => {
    const outcome = run(file);
    return agrees(file, outcome) ? [] : [`${name}: ${outcome.result} ${outcome.where ?? ""}`];
  });
}

describe("the envelope corpus", () => {
  test("is what the generator writes", () => {
    const generated = new Map([...corpus()].map(([name, file]) => [name, caseText(file)]));
    expect([...texts.keys()].sort()).toEqual([...generated.keys()].sort());
    expect([...generated].filter(([name, text]) => texts.get(name) !== text).map(([name]) => name)).toEqual([]);
  });

  test("has as many cases and refusals as it says", () => {
    expect(cases.length).toBe(CASE_COUNT);
    expect(cases.filter(([, file]) => file.expect.result !== "ok").length).toBe(REFUSED_COUNT);
    expect(REFUSED_COUNT / CASE_COUNT).toBeGreaterThan(0.7);
  });

  test("provokes every code that verification can give", () => {
    const provoked = new Set(cases.map(([, file]) => file.expect.result));
    const missing = CODES.filter((code) => !provoked.has(code) && !NOT_OF_ENVELOPES.includes(code));
    expect(missing).toEqual([]);
  });

  test("says of every case what is wrong with it", () => {
    expect(cases.filter(([, file]) => file.comment === "").map(([name]) => name)).toEqual([]);
  });

  test("TypeScript agrees on every case", () => {
    expect(disagreements(runTypeScript)).toEqual([]);
  });

  test("the filter agrees on every case", () => {
    expect(disagreements(runFilter)).toEqual([]);
  });

  test("both name the same place", () => {
    const differing = cases.filter(([, file]) => runTypeScript(file).where !== runFilter(file).where);
    expect(differing.map(([name]) => name)).toEqual([]);
  });
});
