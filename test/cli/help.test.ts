/** Help: every command has an example, and the examples run in the order in which a person reads them. */
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { afterAll, describe, expect, test } from "vitest";
import { buildProgram } from "../../xds-proxy/src/cli/program.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { Cli } from "./harness.ts";

const folder = mkdtempSync(join(tmpdir(), "wpgate-help-"));
const cli = new Cli();
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  cli.remove();
});

/** Names of all commands that do something, in the order of the help. */
function leaves(command: Command, path: readonly string[] = []): readonly (readonly string[])[] {
  if (command.commands.length === 0) return [path];
  return command.commands.flatMap((child) => leaves(child, [...path, child.name()]));
}

const COMMANDS = leaves(
  buildProgram({
    ...{ cwd: folder, environment: {}, readStdin: () => Promise.resolve(Buffer.alloc(0)) },
    ...{ stdout: () => undefined, stderr: () => undefined, colour: { stdout: false, stderr: false } },
    ...{ nowMs: Date.now, signal: new AbortController().signal },
  }),
);

/** The lines under `Example:`, as pasted. */
async function exampleOf(path: readonly string[]): Promise<string> {
  const { code, stdout } = await cli.run([...path, "--help"]);
  expect(code).toBe(0);
  const [, lines = ""] = stdout.split("\nExample:\n");
  return lines.trimEnd();
}

/** A shell in which `wpgate` is the built program. */
async function paste(script: string): Promise<string> {
  const main = projectFile("dist/cli/main.js");
  const shell = `set -e\nwpgate() { "${process.execPath}" "${main}" "$@"; }\n${script}\n`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", shell], { cwd: folder });
  return stdout + stderr;
}

test("these are all commands", () => {
  expect(COMMANDS.map((path) => path.join(" "))).toEqual([
    "keygen",
    "root init",
    "root pin",
    "root change",
    "root rotate",
    "sign",
    "seal",
    "set",
    "fresh",
    "verify",
    "inspect",
    "explain",
    "diff",
    "wasmplugin",
    "apply",
    "status",
    "filter pin",
    "filter env",
    "guard init",
    "guard check",
    "doctor",
    "proxy",
    "demo",
  ]);
});

describe("examples work when pasted", () => {
  // The demo's own needs Envoy (test/e2e/demo.test.ts), guard and doctor do, too (test/guard/envoy.test.ts); others need a cluster: test/istio/cli-help.test.ts.
  const elsewhere = new Set(["demo", "apply", "status", "guard", "doctor"]);
  test.each(COMMANDS.filter(([name = ""]) => !elsewhere.has(name)).map((path) => [path.join(" "), path] as const))(
    "wpgate %s",
    async (name, path) => {
      const script = await exampleOf(path);
      expect(script).toContain(`wpgate ${name}`);
      await paste(script);
    },
  );
});

test("Ctrl-C ends it while it waits for stdin", async () => {
  const child = spawn(process.execPath, [projectFile("dist/cli/main.js"), "inspect"], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const ended = new Promise((resolve) => child.on("close", resolve));
  // More than a pipe holds: once it is gone, the program reads.
  await new Promise((resolve) => child.stdin.write(Buffer.alloc(1 << 20), resolve));
  child.kill("SIGINT");
  expect([await ended, stderr]).toEqual([130, "wpgate: stopped\n"]);
});

test("docs/cli.md works when pasted", async () => {
  const blocks = [...readFileSync(projectFile("docs/cli.md"), "utf8").matchAll(/^```sh\n([^]*?)^```$/gm)];
  expect(blocks).toHaveLength(6);
  const story = mkdtempSync(join(folder, "docs-"));
  await paste(`cd "${story}"\n${blocks.map(([, lines]) => lines).join("\n")}`);
});

test("a wrong example would be noticed", async () => {
  await expect(paste("wpgate sgn")).rejects.toThrow("unknown command 'sgn'");
});

describe("errors", () => {
  test.each([
    [["sgn"], "wpgate: error: unknown command 'sgn'\nwpgate: hint: did you mean sign? see wpgate --help\n"],
    [["sign"], "wpgate: error: missing required argument 'path'\nwpgate: hint: see wpgate sign --help\n"],
    [["sign", "--quux", "x"], "wpgate: error: unknown option '--quux'\nwpgate: hint: see wpgate sign --help\n"],
    [
      ["root", "init", "--mode", "x"],
      "wpgate: error: option '--mode <mode>' argument 'x' is invalid: allowed choices are enforce, monitor\nwpgate: hint: see wpgate root init --help\n",
    ],
    [
      ["fresh", "--for", "1y"],
      "wpgate: error: option '--for <time>' argument '1y' is invalid: it must be a length of time such as 90d, 24h, 15m or 30s\nwpgate: hint: see wpgate fresh --help\n",
    ],
    [
      ["set", "-C", "nowhere"],
      "wpgate: error: nowhere: is not an owner's folder: it has no wpgate.yaml\nwpgate: hint: give one with -C FOLDER, or make one with wpgate root init\n",
    ],
  ])("%j", async (argv, expected) => {
    expect(await cli.run(argv)).toEqual({ code: 2, stdout: "", stderr: expected });
  });

  test("stopped is 130", async () => {
    const { code, stderr } = await cli.run(["sign", "x.yaml", "-C", "nowhere"], { signal: AbortSignal.abort() });
    expect([code, stderr]).toEqual([130, "wpgate: stopped\n"]);
  });
});
