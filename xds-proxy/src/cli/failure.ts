/** From whatever was thrown to lines on stderr and an exit code: 1 refused, 2 wrong use or configuration, 3 our bug. */
import { CommanderError } from "commander";
import { ConfigError, ERROR_TABLE, InternalError, WpgateError } from "../errors.ts";
import type { Code } from "../gen/codes.ts";
import type { Terminal } from "./context.ts";
import { HINTS } from "./hints.ts";
import { printable, showError, showHint } from "./ui.ts";

/** A command ends with this exit code after it has said all there is to say. */
export class Exit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** An error together with what the person can do about it. */
export class Hinted extends Error {
  readonly error: WpgateError;
  readonly hint: string;

  constructor(error: WpgateError, hint: string) {
    super(error.message, { cause: error });
    this.error = error;
    this.hint = hint;
  }
}

/** Wrong use of the command line, or something about the owner's folder, with its remedy. */
export function usageError(path: string, message: string, hint: string): Hinted {
  return new Hinted(new ConfigError([{ path, message }]), hint);
}

/** Says what went wrong and returns the exit code. */
export function reportFailure(thrown: unknown, terminal: Terminal): number {
  if (thrown instanceof Exit) return thrown.exitCode;
  // Commander has already written its message, or the help that was asked for.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : ERROR_TABLE.ConfigError.exitCode;
  if (thrown instanceof Hinted) {
    describe(thrown.error, terminal);
    showHint(terminal, thrown.hint);
    return ERROR_TABLE[thrown.error.name].exitCode;
  }
  const error = isWpgateError(thrown) ? thrown : new InternalError("this is a bug of wpgate", { cause: thrown });
  describe(error, terminal);
  const hint = error.hint ?? HINTS.get(error.code);
  if (hint !== undefined) showHint(terminal, hint);
  if (error.name === "InternalError") showStack(error, terminal);
  return ERROR_TABLE[error.name].exitCode;
}

export function isWpgateError(thrown: unknown): thrown is WpgateError {
  return thrown instanceof WpgateError;
}

function describe(error: WpgateError, terminal: Terminal): void {
  const lines =
    error instanceof ConfigError
      ? error.faults.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
      : [error.name === "VerifyError" ? refusal(error) : error.message];
  for (const line of lines) showError(terminal, printable(line));
  if (error.cause instanceof Error && error.name !== "InternalError")
    showHint(terminal, `the cause was: ${printable(error.cause.message)}`);
}

function refusal({ code, where, message }: WpgateError): string {
  return `refused with ${code as Code}${where === "" ? "" : ` at ${where}`}: ${message}`;
}

function showStack(error: WpgateError, terminal: Terminal): void {
  const { cause } = error;
  terminal.stderr(`${(cause instanceof Error ? cause.stack : undefined) ?? error.stack ?? String(cause)}\n`);
  showHint(terminal, "please report the lines above together with the command");
}
