/** What a run measures, in short: what leaks is found, and everything else can be called as it is meant. */
import { expect, test } from "vitest";
import { CONTROLS } from "./controls.ts";
import { measure } from "./measure.ts";
import { WasmModule } from "./module.ts";
import { OPERATIONS } from "./operations.ts";
import { readOptions, UsageError } from "./options.ts";

const SHORT = 20_000;
const nothing = (): void => undefined;

test.each(CONTROLS.map((control) => [control.name, control] as const))("%s is found", async (_, control) => {
  const finding = await measure(control, new WasmModule("leaky"), SHORT, nothing);
  expect(finding).toMatchObject({ measurements: SHORT, verdict: "leaks" });
});

test.each(OPERATIONS.map((operation) => [operation.name, operation] as const))("%s can be measured", async (_, op) => {
  const finding = await measure(op, new WasmModule("testable"), 100, nothing);
  expect(finding.measurements).toBe(100);
});

test("a call that returns something else than it should is an error, not a measurement", async () => {
  const [operation] = OPERATIONS;
  const wrong = {
    ...operation!,
    prepare: (module: WasmModule) => ({ ...operation!.prepare(module), returns: 1 }),
  };
  await expect(measure(wrong, new WasmModule("testable"), 100, nothing)).rejects.toThrow("a call did not return 1");
});

test("options", () => {
  expect(readOptions(["--help"])).toBeUndefined();
  expect(readOptions(["--op", "ecdh", "--tier", "liftoff", "--measurements", "25000"])).toMatchObject({
    ...{ tiers: ["liftoff"], measurements: 30_000, json: false, save: false },
    operations: [...CONTROLS.map(({ name }) => ({ name })), { name: "ecdh" }],
  });
  for (const args of [["--op", "x"], ["--tier", "x"], ["--measurements", "1"], ["--x"]])
    expect(() => readOptions(args)).toThrow(UsageError);
});
