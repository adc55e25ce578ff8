import { tryDecodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";

/** Strict base64url: both decode to the same, and the decoded bytes have that one text. */
export const BASE64URL: Target = {
  name: "base64url",
  seeds: () => ["", "AA", "AAA", "AAAA", "-_-_", "AB", "AAB", "A", "AA==", "A-_9 ", "QUJDREVGR0hJSktMTU5P"].map(latin1),
  dictionary: ["-", "_", "=", "+", "/", " ", "\n", "A", "B", "Q", "w", "AAAA", "____"],
  maxBytes: 96,
  memoryGrowthMaxPages: 2,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const decode = module.fn("wireDecodeBase64Url");
  const encode = module.fn("wireEncodeBase64Url");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const accepted = decode(module.put(input), input.length) === 1;
      const expected = tryDecodeBase64Url(Buffer.from(input).toString("latin1"));
      agree("base64url is accepted", accepted, expected !== undefined);
      if (expected === undefined) return;
      agree("the bytes", Buffer.compare(module.result(), expected), 0);
      module.begin();
      encode(module.put(expected), expected.length);
      agree("the text again", Buffer.compare(module.result(), input), 0);
    },
  };
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
