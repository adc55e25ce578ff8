/** The command line as a whole: which commands there are, and how a run of it ends. */
import { Command } from "commander";
import type { CliContext } from "./context.ts";
import { reportFailure } from "./failure.ts";
import { COMMANDS } from "./commands/index.ts";
import { showError } from "./ui.ts";

const EXIT_CODES = `
Exit codes:
  0  done, verified, allowed; diff: no change
  1  refused, denied; diff: something changes
  2  wrong use or configuration
  3  a bug of wpgate`;

/** @returns the exit code; never throws. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    await buildProgram(context).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (thrown) {
    return reportFailure(thrown, context);
  }
}

export function buildProgram(context: CliContext): Command {
  const program = new Command("wpgate")
    .description("Owner-signed mesh configuration that Envoy itself verifies: the control plane is only a pipe")
    .version("0.1.0")
    .addHelpText("after", EXIT_CODES);
  for (const make of COMMANDS) program.addCommand(make(context));
  configure(program, context);
  return program;
}

/** Settings that commander does not hand down to commands added this way. */
function configure(command: Command, context: CliContext): void {
  command
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .configureHelp({ helpWidth: 100, showGlobalOptions: false })
    .configureOutput({
      writeOut: context.stdout,
      writeErr: context.stderr,
      outputError: (text) => {
        showError(context, text.replace(/^error: /, "").trimEnd());
        context.stderr(`wpgate: hint: see ${fullName(command)} --help\n`);
      },
    });
  command.commands.forEach((child) => {
    configure(child, context);
  });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
