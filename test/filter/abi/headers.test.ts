/** Header maps as hosts hand them over: repeated headers, odd bytes, and what is no map at all. */
import { beforeAll, describe, expect, test } from "vitest";
import { encodePairs } from "../../host/pairs.ts";
import type { Pair } from "../../host/pairs.ts";
import { Gate } from "../../host/gate.ts";
import { Owner } from "../../scenarios/owner.ts";

let gate: Gate;
beforeAll(async () => {
  const owner = await Owner.create({ ns: "team-a" });
  const rules = [{ when: [{ key: "request.headers[x-team]", values: ["blue"] }] }];
  gate = new Gate([owner]);
  gate.bundles([await owner.bundle({ policies: [{ name: "p", spec: { action: "ALLOW", rules } }] })]);
});

const PSEUDO: readonly Pair[] = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "a"],
];
const BLUE: Pair = ["x-team", "blue"];
const RED: Pair = ["x-team", "red"];

test.each<[string, readonly Pair[], number]>([
  ["the header", [BLUE], 200],
  ["another value", [RED], 403],
  ["no header", [], 403],
  ["repeated, first", [BLUE, RED], 200],
  ["repeated, last", [RED, BLUE], 200],
  ["repeated among others", [RED, ["x-other", "blue"], RED, ["x-tea", "m"], BLUE], 200],
  ["an empty value", [["x-team", ""]], 403],
  ["an empty name", [["", "blue"]], 403],
  ["a longer name", [["x-team-b", "blue"]], 403],
  ["a value with a NUL", [["x-team", "blue\0"]], 403],
  ["bytes that are not UTF-8", [["x-team", Uint8Array.of(0xff, 0xfe)], BLUE], 200],
])("%s", (_, headers, status) => {
  expect(gate.status("/", { headers })).toBe(status);
});

test("a thousand headers, the one that counts last", () => {
  const many = Array.from({ length: 1_000 }, (_, i): Pair => [`x-${i}`, "y".repeat(50)]);
  expect(gate.status("/", { headers: [...many, BLUE] })).toBe(200);
  expect(gate.status("/", { headers: many })).toBe(403);
});

describe("what is no map is 503", () => {
  const good = encodePairs([...PSEUDO, BLUE]);
  const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["less than a count", Uint8Array.of(1, 0, 0)],
    ["a count without pairs", words(1)],
    ["the largest count", words(0xffffffff, 0, 0)],
    ["a name past the end", words(1, 0xffffffff, 0, 0)],
    ["a value past the end", words(1, 1, 0xffffffff, 0)],
    ["lengths that add up to a small number", words(2, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0)],
  ])("%s", (_, rawHeaders) => {
    expect(gate.request("/", { rawHeaders })).toMatchObject({ status: 503, details: "wpgate_host_failure" });
  });

  test("a map that is cut off anywhere", () => {
    for (let length = 0; length < good.length; length++) {
      const answer = gate.request("/", { rawHeaders: good.subarray(0, length) });
      expect(answer).toMatchObject({ status: 503, details: "wpgate_host_failure" });
    }
    expect(gate.status("/", { rawHeaders: good })).toBe(200);
  });
});
