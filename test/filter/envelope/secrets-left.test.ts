/** Nothing secret stays in memory after a sealed statement was read, whatever was wrong with it. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeWebpushMessage } from "../../../xds-proxy/src/envelope/format.ts";
import type { CaseFile } from "../../corpus/case.ts";
import { occurrences, sealedSecrets } from "../sealed-secrets.ts";
import type { SealedSecrets } from "../sealed-secrets.ts";
import { freshTestable } from "../testable.ts";

const VECTORS = new URL("../../vectors/envelope/", import.meta.url);

interface SealedCase {
  readonly name: string;
  readonly content: CaseFile;
  readonly secrets: SealedSecrets;
}

const decode = (text: string): Buffer => Buffer.from(text, "base64url");

const CASES: readonly SealedCase[] = readdirSync(VECTORS)
  .filter((file) => file.startsWith("sealed-"))
  .flatMap((file) => {
    const content = JSON.parse(readFileSync(new URL(file, VECTORS), "utf8")) as CaseFile;
    const { recipient, envelopes } = content;
    if (!recipient || envelopes.length !== 1) return [];
    const { data } = decodeWebpushMessage(decode(envelopes[0]!));
    const { privateKey, p256dh, auth } = recipient;
    const keys = { privateKey: decode(privateKey), publicKey: decode(p256dh), auth: decode(auth) };
    const secrets = sealedSecrets(data, keys);
    return secrets ? [{ name: file.replace(".json", ""), content, secrets }] : [];
  });

/** The memory of a module of its own after one case, and the verdict. */
function memoryAfter(content: CaseFile): { readonly memory: WebAssembly.Memory; readonly result: string } {
  const module = freshTestable();
  const result = module.call((memory) => {
    const { ptr, length } = memory.putText(JSON.stringify(content));
    const verdict = JSON.parse(memory.takeString(module.fn("verifyCase")(ptr, length))) as { result: string };
    return verdict.result;
  });
  return { memory: module.memory, result };
}

test("the corpus has every way in which a sealed statement is refused", () => {
  const results = new Set(CASES.map(({ content }) => content.expect.result));
  for (const code of ["ok", "RECIPIENT", "DECRYPT", "INNER_MISMATCH", "PAYLOAD", "SEQUENCE"])
    expect(results).toContain(code);
  expect(CASES.length).toBeGreaterThan(40);
});

test.each(CASES.map((sealed) => [sealed.name, sealed] as const))("%s", (_, { content, secrets }) => {
  const { memory, result } = memoryAfter(content);
  expect(result).toBe(content.expect.result);
  const left = [...secrets.keys].filter(([, key]) => occurrences(memory, key) > 0).map(([name]) => name);
  expect(left).toEqual([]);
  const plaintexts = secrets.plaintextEnd ? occurrences(memory, secrets.plaintextEnd) : 0;
  expect(plaintexts > 0).toBe(result === "ok" && secrets.plaintextEnd !== undefined);
});
