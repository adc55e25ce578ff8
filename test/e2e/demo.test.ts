/** `wpgate demo` as a person runs it, from the built program: what it shows, and that it leaves nothing behind. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ATTACKS } from "../../xds-proxy/src/demo/attacks.ts";
import { runDemo } from "../../xds-proxy/src/demo/demo.ts";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";

const folder = mkdtempSync(join(tmpdir(), "wpgate-demo-test-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is left in the demo's own temporary folder. */
  readonly leftover: readonly string[];
}

interface Running {
  readonly output: () => string;
  /** To the whole process group, Envoy included, as a terminal does. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
}

let runs = 0;

function demo(argv: readonly string[], environment: NodeJS.ProcessEnv = {}): Running {
  const temporary = join(folder, `run-${++runs}`);
  mkdirSync(temporary);
  const child = spawn(process.execPath, [projectFile("dist/cli/main.js"), "demo", ...argv], {
    env: { ...process.env, TMPDIR: temporary, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => (text[name] += chunk));
  return {
    output: () => text.stdout,
    signal: (name) => process.kill(-child.pid!, name),
    ended: new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, ...text, leftover: readdirSync(temporary) });
      });
    }),
  };
}

test("all goes as it should, every attack is refused by its name, and nothing is left", async () => {
  const { code, stdout, leftover } = await demo([]).ended;
  expect(stdout).not.toContain("✗");
  for (const { what, code: refusal } of ATTACKS)
    expect(stdout).toMatch(new RegExp(`✓ ${what} .*\\b${refusal} +4 of 4 as before`));
  expect(stdout).toMatch(/ GET \/orders\/internal\/costs +403 denied +deny-internal, which is sealed\n/);
  expect(stdout).toMatch(/ POST \/orders +200 allowed +allow-orders\n/);
  expect(stdout).toMatch(/\nAll \d\d steps went as they should\.\n/);
  expect([code, leftover]).toEqual([0, []]);
});

test("a person's own policies", async () => {
  const file = join(folder, "mine.yaml");
  writeFileSync(
    file,
    `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec: {selector: {matchLabels: {app: cart}}, rules: [{to: [{operation: {methods: [PUT], paths: ["/cart/*"]}}]}]}
`,
  );
  const { code, stdout } = await demo(["--policy", file]).ended;
  expect(stdout).toMatch(/ PUT \/cart\/x +200 allowed +cart\n/);
  expect(stdout).toMatch(/ GET \/ +403 denied +nothing allows it\n/);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/All \d\d steps went as they should\.\n/)]);
});

test("--keep leaves it running until Ctrl-C, and the lines that it prints work", async () => {
  const running = demo(["--keep"]);
  await expect.poll(() => running.output(), { timeout: 25_000 }).toContain("config_dump\n");
  const line = /curl -i -X GET http:\/\/127\.0\.0\.1:(\d+)(\S+)/.exec(running.output())!;
  expect((await send({ port: Number(line[1]), path: line[2]! })).status).toBe(200);
  running.signal("SIGINT");
  // A terminal and npm both pass it on.
  running.signal("SIGINT");
  const { code, leftover } = await running.ended;
  expect([code, leftover]).toEqual([0, []]);
});

test("Ctrl-C in the middle stops it without a trace", async () => {
  const running = demo([]);
  await expect.poll(() => running.output(), { timeout: 25_000 }).toContain("turns hostile");
  running.signal("SIGINT");
  const { code, stderr, leftover } = await running.ended;
  expect([code, stderr, leftover]).toEqual([130, "wpgate: stopped\n", []]);
});

describe("what is wrong is said", () => {
  test("a policy that the filter does not enforce", async () => {
    const file = join(folder, "custom.yaml");
    writeFileSync(
      file,
      "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: c}\nspec: {action: CUSTOM}\n",
    );
    const { code, stderr } = await demo(["--policy", file]).ended;
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^wpgate: error: .*spec\.action: not supported: /)]);
  });

  test("an Envoy that is none", async () => {
    const { code, stderr, leftover } = await demo([], { WPGATE_ENVOY: "/bin/true" }).ended;
    expect([code, stderr, leftover]).toEqual([2, expect.stringMatching(/^wpgate: error: WPGATE_ENVOY: /), []]);
  });

  test("a step that goes wrong makes the whole demo wrong", async () => {
    let screen = "";
    const right = await runDemo({
      screen: { write: (text) => (screen += text), paint: (_, text) => text },
      onProgress: () => undefined,
      environment: process.env,
      signal: new AbortController().signal,
      attacks: [
        { ...ATTACKS[0]!, code: "SIGNATURE" },
        { what: "changes nothing at all", code: "DIGEST", forge: ({ current }) => current },
      ],
    });
    expect(right).toBe(false);
    expect(screen).toMatch(/✗ changes one letter of a signed policy .*DIGEST/);
    expect(screen).toMatch(/✗ changes nothing at all/);
    expect(screen).toMatch(/\n2 of \d+ steps went wrong\.\n/);
  });
});
