/** Which exit code and which words a thrown thing becomes. */
import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { Exit, Hinted, reportFailure } from "../../xds-proxy/src/cli/failure.ts";
import { ConfigError, LimitError, ParseError, UpstreamError, VerifyError } from "../../xds-proxy/src/errors.ts";
import { CODES } from "../../xds-proxy/src/gen/codes.ts";

function report(thrown: unknown): { code: number; stderr: string } {
  let stderr = "";
  const terminal = {
    stdout: () => undefined,
    stderr: (text: string) => void (stderr += text),
    colour: { stdout: false, stderr: false },
  };
  return { code: reportFailure(thrown, terminal), stderr };
}

const CASES: readonly (readonly [thrown: unknown, code: number, stderr: string])[] = [
  [
    new VerifyError("ROLLBACK", "older", { where: "state" }),
    1,
    "wpgate: error: refused with ROLLBACK at state: older\nwpgate: hint: this consumer has already seen a newer state\n",
  ],
  [new LimitError("too long"), 1, "wpgate: error: too long\n"],
  [new ParseError("JSON", "no :"), 1, "wpgate: error: no :\n"],
  [
    new UpstreamError("TIMEOUT", "late", { cause: new Error("socket") }),
    1,
    "wpgate: error: late\nwpgate: hint: the cause was: socket\n",
  ],
  [
    new ConfigError([
      { path: "a", message: "x" },
      { path: "", message: "y" },
    ]),
    2,
    "wpgate: error: a: x\nwpgate: error: y\n",
  ],
  [new Hinted(new LimitError("full"), "empty it"), 1, "wpgate: error: full\nwpgate: hint: empty it\n"],
  [new Exit(7), 7, ""],
  [new CommanderError(1, "commander.unknownOption", "x"), 2, ""],
  [new CommanderError(0, "commander.help", ""), 0, ""],
];

test.each(CASES)("%s", (thrown, code, stderr) => {
  expect(report(thrown)).toEqual({ code, stderr });
});

test("anything else is a bug", () => {
  const { code, stderr } = report(new TypeError("boom"));
  expect(code).toBe(3);
  expect(stderr).toMatch(/^wpgate: error: this is a bug of wpgate\nTypeError: boom\n[^]*wpgate: hint: please report/);
});

test("every refusal has a hint", () => {
  for (const code of CODES)
    expect(report(new VerifyError(code, "x")).stderr).toMatch(/\nwpgate: hint: [^A-Z].*[^.]\n$/);
});

test("what others wrote can not steer the terminal", () => {
  expect(report(new LimitError("a\u001b[2Jb\nc")).stderr).toBe("wpgate: error: a\\u{1b}[2Jb\\u{a}c\n");
});
