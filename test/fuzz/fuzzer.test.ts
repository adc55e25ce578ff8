/** That the fuzzer would find something. */
import { expect, test } from "vitest";
import { testableBytes } from "../filter/testable.ts";
import { shippedModule } from "../host/shipped-module.ts";
import { SEED } from "../seed.ts";
import { Arithmetic } from "./arithmetic.ts";
import { Fuzzer } from "./fuzzer.ts";
import { instrument } from "./instrument.ts";
import { InstrumentedTestable } from "./instrumented.ts";
import { Disagreement } from "./target.ts";
import type { Target } from "./target.ts";
import { DER } from "./targets/der.ts";
import { HOST, hostTarget } from "./targets/host.ts";
import { SCALAR } from "./targets/scalar.ts";

/** Messages without a seed. */
const noneIsAccepted: Target = {
  name: "accepted",
  ...{ seeds: () => [], dictionary: [], maxBytes: 64, memoryGrowthMaxPages: 16 },
  start: () => {
    const module = new InstrumentedTestable();
    const parse = module.fn("parseEnvelopeText");
    return {
      coverage: module.coverage,
      memory: () => module.memory,
      run: (input) => {
        const text = Buffer.from(input).toString("base64url");
        module.begin();
        if (parse(module.put(Buffer.from(text)), text.length, 2) === 0) throw new Disagreement("accepted");
      },
    };
  },
};

function findingsOf(target: Target, executions: number): readonly string[] {
  const fuzzer = new Fuzzer(target, SEED);
  while (fuzzer.executions < executions && fuzzer.findings.length === 0) fuzzer.step();
  return fuzzer.findings.map(({ error }) => error.message);
}

test("branches of the modules have probes", () => {
  for (const module of [testableBytes(), shippedModule()]) {
    expect(instrument(module).probes).toBeGreaterThan(3_000);
  }
});

test("an input that breaks a law is found, and those that lead to other branches are kept", () => {
  expect(findingsOf(noneIsAccepted, 2_000_000)).toEqual(["accepted"]);
  const fuzzer = new Fuzzer(noneIsAccepted, SEED);
  const branches = fuzzer.edges;
  for (let i = 0; i < 20_000; i++) fuzzer.step();
  expect(fuzzer.edges).toBeGreaterThan(branches);
  expect(fuzzer.corpusSize).toBeGreaterThan(4);
});

test("a memory that grows is found", () => {
  expect(findingsOf({ ...DER, memoryGrowthMaxPages: -1 }, 1)).toEqual(["the memory grows more than it may"]);
});

test("a trap is found", () => {
  const trapping: Target = { ...HOST, start: () => ({ ...HOST.start(), run: unreachable }) };
  expect(findingsOf(trapping, 1)).toEqual(["unreachable"]);
});

test("requests of the hostile host are let through at times", () => {
  const never = hostTarget(() => {
    throw new Disagreement("let through");
  });
  expect(findingsOf(never, 20_000)).toEqual(["let through"]);
});

test("wrong arithmetic is found", () => {
  const wrong = new Arithmetic({ name: "wrong", cases: () => () => 1 + Number(1n / 0n) }, SEED);
  wrong.step();
  expect(wrong.findings.length).toBe(1);
  const right = new Arithmetic(SCALAR, SEED);
  for (let i = 0; i < 1_000; i++) right.step();
  expect([right.findings, right.executions >= 4_000]).toEqual([[], true]);
});

/** A module of one function, which traps. */
function unreachable(): void {
  const bytes = [0x01, 0x04, 0x01, 0x60, 0, 0, 0x03, 0x02, 0x01, 0, 0x07, 0x05, 0x01, 0x01, 0x66, 0, 0];
  const module = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes, 0x0a, 0x05, 0x01, 0x03, 0, 0, 0x0b);
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(module), {}).exports;
  if (typeof f === "function") Reflect.apply(f, undefined, []);
}
