import { signatureFromDer } from "../../conformance/der.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";

const SIGNATURE_BYTES = 64;
const DER_MAX_BYTES = 72;

/** DER of signatures: the same are well-formed, give the same numbers, and have that one form. */
export const DER: Target = {
  name: "der",
  seeds: () => [
    ...["3006020100020101", "3008020200ff02020080", "30060201ff020101", "3007020200010201017f"].map(hex),
    hex(`3044${`0220${"7f".repeat(32)}`.repeat(2)}`),
    hex(`3046${`022100${"ff".repeat(32)}`.repeat(2)}`),
  ],
  dictionary: [
    "\x30\x06",
    "\x02\x01",
    "\x02\x20",
    "\x02\x21\0",
    "\0",
    hex("80"),
    hex("ff"),
    "\x7f",
    "\x81",
    hex("3081"),
  ],
  maxBytes: 80,
  memoryGrowthMaxPages: 2,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const decode = module.fn("p1363FromDer");
  const encode = module.fn("derFromP1363");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const signature = module.reserve(SIGNATURE_BYTES);
      const accepted = decode(signature, module.put(input), input.length) === 1;
      const expected = signatureFromDer(input);
      agree("DER is accepted", accepted, expected !== undefined);
      if (expected === undefined) return;
      agree("the numbers", Buffer.compare(module.window(signature, SIGNATURE_BYTES), expected), 0);
      const der = module.reserve(DER_MAX_BYTES);
      agree("the length again", encode(der, signature), input.length);
      agree("the bytes again", Buffer.compare(module.window(der, input.length), input), 0);
    },
  };
}

function hex(digits: string): Uint8Array {
  return Buffer.from(digits, "hex");
}
