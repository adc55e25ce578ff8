import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { members } from "./json.ts";

const WYCHEPROOF = "test/vectors/wycheproof";
const ENVELOPE = "test/vectors/envelope";
const DER = `${WYCHEPROOF}/ecdsa_secp256r1_sha256_test.json`;
const P1363 = `${WYCHEPROOF}/ecdsa_secp256r1_sha256_p1363_test.json`;

interface Output {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function conformance(...args: string[]): Promise<Output> {
  const tsx = projectFile("node_modules/.bin/tsx");
  const main = projectFile("test/conformance/main.ts");
  const output = await run({ file: tsx, args: [main, ...args], environment: process.env });
  if (output === undefined) throw new Error("no tsx");
  return output;
}

/** The lines of a run, as text. */
function lines(
  impl: string,
  rows: readonly (readonly [suite: string, agree: number, outOfProfile?: number])[],
): string {
  const line = ([suite, agree, outOfProfile = 0]: readonly [string, number, number?]): string =>
    `{"suite":"${suite}","impl":"${impl}","cases":${agree + outOfProfile},"agree":${agree},"outOfProfile":${outOfProfile},"disagree":[]}\n`;
  return rows.map(line).join("");
}

const CASES = readdirSync(projectFile(ENVELOPE)).filter((name) => name.endsWith(".json")).length;

test("ts", async () => {
  const output = await conformance("--impl", "ts", "--suite", WYCHEPROOF, "--suite", ENVELOPE);
  expect(output.stderr).toBe("");
  expect(output.stdout).toBe(
    lines("ts", [
      [`${WYCHEPROOF}/aes_gcm_test.json`, 49, 267],
      [`${WYCHEPROOF}/ecdh_secp256r1_ecpoint_test.json`, 355],
      [P1363, 262],
      [DER, 484],
      [`${WYCHEPROOF}/hkdf_sha256_test.json`, 30, 56],
      [`${WYCHEPROOF}/hmac_sha256_test.json`, 174],
      [ENVELOPE, CASES],
    ]),
  );
  expect(output.exitCode).toBe(0);
});

test("wasm", async () => {
  const output = await conformance("--impl", "wasm", "--suite", WYCHEPROOF, ENVELOPE);
  expect(output.stderr).toBe("");
  expect(output.stdout).toBe(
    lines("wasm", [
      [`${WYCHEPROOF}/aes_gcm_test.json`, 67, 249],
      [`${WYCHEPROOF}/ecdh_secp256r1_ecpoint_test.json`, 355],
      [P1363, 262],
      [DER, 484],
      [`${WYCHEPROOF}/hkdf_sha256_test.json`, 83, 3],
      [`${WYCHEPROOF}/hmac_sha256_test.json`, 174],
      [ENVELOPE, CASES],
    ]),
  );
  expect(output.exitCode).toBe(0);
});

test("host: verify_signature in a real Envoy", async () => {
  const output = await conformance("--impl", "host", "--suite", DER, P1363, `${WYCHEPROOF}/hmac_sha256_test.json`);
  expect(output.stdout).toBe(
    lines("host", [
      [DER, 484],
      [P1363, 262],
      [`${WYCHEPROOF}/hmac_sha256_test.json`, 0, 174],
    ]),
  );
  expect(output.exitCode).toBe(0);
});

describe("what is not right", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "wpgate-conformance-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (name: string, content: unknown): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  const read = (file: string): Record<string, unknown> => ({
    ...members(JSON.parse(readFileSync(file, "utf8")), "a file"),
  });

  test.each(["ts", "wasm", "host"])("%s: a case whose expectation is wrong is named", async (impl) => {
    const file = read(DER);
    const [group] = file["testGroups"] as [{ tests: { tcId: number; result: string }[] }];
    const tests = group.tests.slice(0, 3).map((one, i) => (i === 1 ? { ...one, result: "invalid" } : one));
    const suite = write(`${impl}.json`, { ...file, testGroups: [{ ...group, tests }] });
    const { exitCode, stdout } = await conformance("--impl", impl, "--suite", suite);
    expect(JSON.parse(stdout)).toEqual({
      suite,
      impl,
      cases: 3,
      agree: 2,
      outOfProfile: 0,
      disagree: [group.tests[1]!.tcId],
    });
    expect(exitCode).toBe(1);
  });

  test.each(["ts", "wasm"])("%s: an envelope case whose expectation is wrong is named", async (impl) => {
    const name = readdirSync(projectFile(ENVELOPE)).find((one) => one.startsWith("namespace-good"))!;
    const good = read(projectFile(`${ENVELOPE}/${name}`));
    const asRefused = write(`${impl}-refused.json`, { ...good, expect: { result: "refused" } });
    const { exitCode, stdout } = await conformance("--impl", impl, "--suite", asRefused);
    expect(JSON.parse(stdout)).toMatchObject({ cases: 1, agree: 0, disagree: [`${impl}-refused`] });
    expect(exitCode).toBe(1);
    const asOther = write(`${impl}-payloads.json`, { ...good, expect: { result: "ok", payloads: ["00".repeat(32)] } });
    expect((await conformance("--impl", impl, "--suite", asOther)).exitCode).toBe(1);
  });

  test("another curve is outside the profile", async () => {
    const file = read(DER);
    const [group] = file["testGroups"] as [{ publicKey: object; tests: unknown[] }];
    const other = { ...group, publicKey: { ...group.publicKey, curve: "secp384r1" }, tests: group.tests.slice(0, 2) };
    const suite = write("curve.json", { ...file, testGroups: [other] });
    const { exitCode, stdout } = await conformance("--impl", "wasm", "--suite", suite);
    expect(stdout).toBe(lines("wasm", [[suite, 0, 2]]));
    expect(exitCode).toBe(0);
  });

  test("a folder without cases", async () => {
    const empty = mkdtempSync(join(folder, "empty-"));
    const { exitCode, stdout } = await conformance("--impl", "wasm", "--suite", empty);
    expect(stdout).toBe(lines("wasm", [[empty, 0]]));
    expect(exitCode).toBe(1);
  });

  test.each([
    ["a file that is not there", (): string => join(folder, "absent.json"), /cannot read .*absent\.json: ENOENT/],
    ["a file of an unknown kind", (): string => write("x.json", { testGroups: [], algorithm: "XDH" }), /XDH/],
    ["a case that is none", (): string => write("y.json", { comment: "" }), /cannot read .*y\.json: pin is no object/],
  ])("%s is one sentence, and the next suite still runs", async (_, suite, sentence) => {
    const { exitCode, stdout, stderr } = await conformance("--impl", "ts", "--suite", suite(), P1363);
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^wpgate: error: /),
      expect.stringMatching(/^wpgate: hint: /),
      "",
    ]);
    expect(stderr).toMatch(sentence);
    expect(stdout).toBe(lines("ts", [[P1363, 262]]));
    expect(exitCode).toBe(1);
  });

  test.each([[[]], [["--impl", "ts"]], [["--impl", "rust", "--suite", P1363]], [["--impl", "ts", "--what"]]])(
    "arguments %j are answered with the usage",
    async (args) => {
      const { exitCode, stdout, stderr } = await conformance(...args);
      expect(stderr).toMatch(/^wpgate: error: .+\nwpgate: hint: npm run -s conformance -- --impl/);
      expect([exitCode, stdout]).toEqual([1, ""]);
    },
  );
});
