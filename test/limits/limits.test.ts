/** Every limit of proto/limits.json: at the limit, and one past it, in both implementations. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PROTOBUF_DEPTH_MAX } from "../../xds-proxy/src/gen/limits.ts";
import { CORPUS_CASES } from "./corpus-cases.ts";
import { nestedTo, OTHER_CASES } from "./other-cases.ts";

const NAMES = Object.keys(
  JSON.parse(readFileSync(new URL("../../proto/limits.json", import.meta.url), "utf8")) as object,
);
const CASES = { ...CORPUS_CASES, ...OTHER_CASES };
/** Messages of the format nest two deep, which is within the limit: it cannot be reached. */
const OUT_OF_REACH = "PROTOBUF_DEPTH_MAX";
/** Only the filter reads a configuration as a whole. */
const OF_THE_FILTER = ["CONFIGURATION_MAX_BYTES", "CONFIGURATION_SETS_MAX_COUNT"];

test("each has a case", () => {
  expect([...Object.keys(CASES), OUT_OF_REACH].sort()).toEqual(NAMES.toSorted());
});

describe.each(Object.entries(CASES))("%s", (name, { at, past, refused }) => {
  const verdicts = (result: string): object =>
    OF_THE_FILTER.includes(name) ? { filter: result } : { filter: result, typescript: result };

  test("at the limit", async () => {
    expect(await at()).toEqual(verdicts("ok"));
  });

  test("one past it", async () => {
    expect(await past()).toEqual(verdicts(refused));
  });
});

test("no message nests deeper than the format says, however deep it may", () => {
  expect(nestedTo(2)).toEqual({ filter: "ok", typescript: "ok" });
  for (let depth = 3; depth <= PROTOBUF_DEPTH_MAX + 1; depth++)
    expect(nestedTo(depth)).toEqual({ filter: "PROTO", typescript: "PROTO" });
});
