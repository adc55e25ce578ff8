/** `npm start -- --istio` as a person runs it: what it shows, how it ends, and that it leaves nothing behind. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ATTACKS } from "../../xds-proxy/src/demo/attacks.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is left in its own temporary folder. */
  readonly leftover: readonly string[];
}

function demo(argv: readonly string[]): { output: () => string; interrupt: () => void; ended: Promise<Ended> } {
  const temporary = mkdtempSync(join(tmpdir(), "wpgate-demo-test-"));
  const child = spawn(process.execPath, ["--import", "tsx", projectFile("test/lab/demo.ts"), "--istio", ...argv], {
    ...{ cwd: projectFile("."), env: { ...process.env, TMPDIR: temporary } },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => (text[name] += chunk));
  return {
    output: () => text.stdout,
    interrupt: () => child.kill("SIGINT"),
    ended: new Promise((resolve) => {
      child.on("close", (code) => {
        // tsx keeps what it has compiled.
        const leftover = readdirSync(temporary).filter((name) => !name.startsWith("tsx-"));
        rmSync(temporary, { recursive: true, force: true });
        resolve({ code, ...text, leftover });
      });
    }),
  };
}

test("all goes as it should, and what is left is shown", async () => {
  const { code, stdout, stderr, leftover } = await demo([]).ended;
  expect(stdout).not.toContain("✗");
  for (const { what, code: refusal } of ATTACKS)
    expect(stdout).toMatch(new RegExp(`✓ ${what} .*\\b${refusal} +4 of 4 as before`));
  expect(stdout).toMatch(/✓ lets it fail open +API server refuses it +4 of 4 as before/);
  expect(stdout).toMatch(/✓ removes the filter with an EnvoyFilter +has no filter +GET \/customers 200 allowed/);
  expect(stdout).toMatch(/✓ makes the port a TCP port +keeps what was good +plain-tcp +2 of 2 as before/);
  expect(stdout).toMatch(/wpgate refused LDS .* \(its last verified form stays\)/);
  expect(stdout).toMatch(/\nAll \d\d steps went as they should\.\n/);
  expect([code, leftover], stderr).toEqual([0, []]);
});

test("--keep prints what to try; Ctrl-C ends it without a trace", async () => {
  const running = demo(["--keep"]);
  await expect.poll(running.output, { timeout: 100_000, interval: 200 }).toContain("curl -s");
  running.interrupt();
  const { code, stderr, leftover } = await running.ended;
  expect([code, leftover], stderr).toEqual([130, []]);
});

test("--help", async () => {
  const { code, stdout } = await demo(["--help"]).ended;
  expect([code, stdout]).toEqual([0, expect.stringContaining("npm start -- --istio")]);
});
