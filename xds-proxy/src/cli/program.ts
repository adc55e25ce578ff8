/** The command line as a whole: which commands there are, and how a run of it ends. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { projectFile } from "../demo/project-file.ts";
import type { CliContext } from "./context.ts";
import { reportFailure } from "./failure.ts";
import { COMMANDS } from "./commands/index.ts";
import { note, showError, showHint } from "./ui.ts";

const EXIT_CODES = `
Exit codes:
  0   done, verified, allowed; diff: no change; status: all is well
  1   refused, denied; diff: something changes; status: something is not well
  2   wrong use or configuration
  3   a bug of wpgate
  130 stopped by Ctrl-C or SIGTERM`;

/** As a shell says it of a program that Ctrl-C has ended. */
const EXIT_STOPPED = 130;

/** @returns the exit code; never throws. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    context.signal.throwIfAborted();
    await buildProgram(context).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (thrown) {
    if (!context.signal.aborted) return reportFailure(thrown, context);
    // Whatever failed then, failed because it was stopped.
    note(context, "stopped");
    return EXIT_STOPPED;
  }
}

export function buildProgram(context: CliContext): Command {
  const program = new Command("wpgate")
    .description("Owner-signed mesh configuration that Envoy itself verifies: the control plane is only a pipe")
    .version(version())
    .option("-q, --quiet", "say only what is wrong")
    .addHelpText("after", EXIT_CODES);
  const shared: CliContext = { ...context, quiet: () => program.opts<{ quiet?: true }>().quiet === true };
  for (const make of COMMANDS) program.addCommand(make(shared));
  configure(program, context);
  return program;
}

/** Settings that commander does not hand down to commands added this way. */
function configure(command: Command, context: CliContext): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .configureHelp({ helpWidth: 106, showGlobalOptions: false })
    .configureOutput({
      writeOut: context.stdout,
      writeErr: context.stderr,
      outputError: (text) => {
        const { what, guess } = readCommanderError(text);
        showError(context, what);
        showHint(context, `${guess === undefined ? "" : `did you mean ${guess}? `}see ${fullName(command)} --help`);
      },
    });
  command.commands.forEach((child) => {
    configure(child, context);
  });
}

function version(): string {
  const description = JSON.parse(readFileSync(projectFile("package.json"), "utf8")) as { readonly version: string };
  return description.version;
}

/** Commander writes sentences; ours are like those of the rest: one line, lower case, no full stop. */
function readCommanderError(text: string): { readonly what: string; readonly guess: string | undefined } {
  const [first = ""] = text.replace(/^error: /, "").split("\n");
  const what = first.replace(/\. ([A-Z])/, (_, letter: string) => `: ${letter.toLowerCase()}`).replace(/\.$/, "");
  return { what, guess: /\(Did you mean (?:one of )?(.+)\?\)/.exec(text)?.[1] };
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
