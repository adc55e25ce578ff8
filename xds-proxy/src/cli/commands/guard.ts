/** `wpgate guard`: what generated configuration must keep, out of what an Envoy runs with. */
import { Command, Option } from "commander";
import { stringify } from "yaml";
import { coverageOf } from "../../guard/coverage.ts";
import { proposeGuard } from "../../guard/propose.ts";
import type { CliContext } from "../context.ts";
import { Exit, usageError } from "../failure.ts";
import { LOCAL_MODULES, readGuards, readLiveConfig } from "../live-config.ts";
import { collect, example } from "../options.ts";
import { note, printable } from "../ui.ts";

interface InitOptions {
  readonly envoy: string;
  readonly namespace?: string;
  readonly name: string;
}

interface CheckOptions {
  readonly envoy: string;
  readonly guard: readonly string[];
}

export function guardCommand(context: CliContext): Command {
  return new Command("guard")
    .summary("say what istiod must keep, and look whether it does")
    .description(
      "A Guard is an object that its owner signs like a policy: it says what the configuration that istiod makes\n" +
        "must keep, such as the wpgate filter on each port. wpgate proxy holds istiod to it (docs/guard.md).",
    )
    .addCommand(initCommand(context))
    .addCommand(checkCommand(context));
}

export function envoyOption(): Option {
  return new Option(
    "--envoy <url>",
    "admin interface of the Envoy, such as http://127.0.0.1:15000",
  ).makeOptionMandatory();
}

function initCommand(context: CliContext): Command {
  const command = new Command("init")
    .summary("propose a Guard from what an Envoy runs with")
    .description(
      "Prints a Guard, as YAML, that the present configuration of an Envoy keeps. Read it, cut it down to what you\n" +
        "mean, then sign it: what is wrong at the moment is in it as well. What it could not tell is on stderr.",
    )
    .addOption(envoyOption())
    .addOption(new Option("--namespace <name>", "the owner's namespace (default: the Envoy's own)"))
    .addOption(new Option("--name <name>", "name of the Guard").default("wpgate"))
    .action(async (options: InitOptions) => {
      await init(context, options);
    });
  return example(
    command,
    "kubectl port-forward deploy/shop 15000 &\nwpgate guard init --envoy http://127.0.0.1:15000 > guard.yaml\nwpgate sign -C team-a guard.yaml",
  );
}

async function init(context: CliContext, { envoy, namespace, name }: InitOptions): Promise<void> {
  const config = await readLiveConfig(context, envoy);
  const owner = namespace ?? config.namespace;
  if (owner === "")
    throw usageError("--namespace", "is needed", "this Envoy's node does not say which namespace it is in");
  const { object, notes } = proposeGuard(config, { ...LOCAL_MODULES, name, namespace: owner });
  for (const text of notes) note(context, printable(text));
  context.stdout(stringify(object));
}

function checkCommand(context: CliContext): Command {
  const command = new Command("check")
    .summary("hold what an Envoy runs with against a Guard")
    .description("Prints what the Guard would refuse, one line each. Exit code 0 when there is nothing, 1 otherwise.")
    .addOption(envoyOption())
    .addOption(
      new Option("--guard <file>", "a Guard, signed or not yet; can be repeated")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .action(async (options: CheckOptions) => {
      await check(context, options);
    });
  return example(command, "wpgate guard check --envoy http://127.0.0.1:15000 --guard guard.yaml");
}

async function check(context: CliContext, { envoy, guard }: CheckOptions): Promise<void> {
  const config = await readLiveConfig(context, envoy);
  const guards = (await readGuards(context, { guard }, config.labels)) ?? [];
  if (guards.length === 0)
    throw usageError("--guard", "none applies", "compare spec.selector with the labels of this Envoy's node");
  const { rows, elsewhere } = coverageOf(config, guards, LOCAL_MODULES);
  const wanted = new Set(guards.flatMap(({ ports }) => ports.map(({ port }) => port)));
  const lines = [
    ...rows
      .filter(({ port }) => wanted.has(port))
      .flatMap(({ port, chain, why }) => why.map((text) => `port ${port}, ${chain}: ${text}`)),
    ...[...wanted]
      .filter((port) => !rows.some((row) => row.port === port))
      .map((port) => `port ${port}: nothing serves it`),
    ...elsewhere.map(({ resource, where, clause, reason }) => `${resource} ${where}: ${clause}: ${reason}`),
  ];
  context.stdout(lines.map((line) => `${printable(line)}\n`).join(""));
  if (lines.length > 0) throw new Exit(1);
  note(context, "the configuration keeps what the Guard says");
}
