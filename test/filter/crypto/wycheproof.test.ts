import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { ACCEPTED, REFUSED } from "../../conformance/cases.ts";
import type { Implementation } from "../../conformance/implementation.ts";
import { typescript } from "../../conformance/implementation-ts.ts";
import { wasm, wasmScalar } from "../../conformance/implementation-wasm.ts";
import { runSuite } from "../../conformance/run-suite.ts";
import { readSuites } from "../../conformance/suite.ts";
import { BUILDS, testable } from "../testable.ts";
import type { Build } from "../testable.ts";
import { CryptoModule, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./module.ts";

/** Signatures only, through tables of their keys. */
const withTables = (build: Build): Implementation => {
  const module = new CryptoModule(testable(build));
  return {
    judge: (operations) =>
      operations.map((operation) => {
        if (operation.kind !== "ecdsa" || operation.publicKey.length !== PUBLIC_KEY_BYTES) return REFUSED;
        const digest = createHash("sha256").update(operation.message).digest();
        const signature = operation.encoding === "der" ? module.p1363FromDer(operation.signature) : operation.signature;
        if (signature?.length !== SIGNATURE_BYTES) return REFUSED;
        return module.verifyP1363WithTable({ publicKey: operation.publicKey, digest, signature }) ? ACCEPTED : REFUSED;
      }),
  };
};

const FOLDER = "test/vectors/wycheproof";
const all = (cases: number): object => ({ cases, agree: cases, outOfProfile: 0, disagree: [] });

test.each([
  ["ecdsa_secp256r1_sha256_test", all(484), all(484)],
  ["ecdsa_secp256r1_sha256_p1363_test", all(262), all(262)],
  ["ecdh_secp256r1_ecpoint_test", all(355), all(355)],
  // Outside: other key and nonce sizes; in TypeScript additional data, too.
  ["aes_gcm_test", { ...all(316), agree: 67, outOfProfile: 249 }, { ...all(316), agree: 49, outOfProfile: 267 }],
  // Outside: more output than there is (RFC 5869 section 2.3); in TypeScript more than a block of it.
  ["hkdf_sha256_test", { ...all(86), agree: 83, outOfProfile: 3 }, { ...all(86), agree: 30, outOfProfile: 56 }],
  ["hmac_sha256_test", all(174), all(174)],
])("%s", async (name, inWasm, inTypeScript) => {
  const [suite] = readSuites(`${FOLDER}/${name}.json`);
  expect(await runSuite(suite!, wasm)).toEqual(inWasm);
  expect(await runSuite(suite!, wasmScalar)).toEqual(inWasm);
  expect(await runSuite(suite!, typescript)).toEqual(inTypeScript);
});

test.each(BUILDS)("ECDSA through tables of keys, %s", async (build) => {
  for (const [name, cases] of [
    ["ecdsa_secp256r1_sha256_test", 484],
    ["ecdsa_secp256r1_sha256_p1363_test", 262],
  ] as const) {
    const [suite] = readSuites(`${FOLDER}/${name}.json`);
    expect(await runSuite(suite!, withTables(build))).toEqual(all(cases));
  }
});

test("the suite that ought to be refused for its encoding is", async () => {
  // "acceptable": a compressed point. The runner would let it pass; the profile does not.
  const [suite] = readSuites(`${FOLDER}/ecdh_secp256r1_ecpoint_test.json`);
  const compressed = suite!.kind === "crypto" ? suite!.cases.filter(({ expected }) => expected === "acceptable") : [];
  expect(compressed).toHaveLength(1);
  const strict = {
    ...suite!,
    kind: "crypto" as const,
    cases: compressed.map((one) => ({ ...one, expected: "invalid" as const })),
  };
  for (const implementation of [wasm, wasmScalar, typescript])
    expect(await runSuite(strict, implementation)).toEqual({ cases: 1, agree: 1, outOfProfile: 0, disagree: [] });
});
