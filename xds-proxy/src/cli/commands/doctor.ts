/** `wpgate doctor`: which ports and chains of an Envoy are covered, which are open, and why. */
import { Command, Option } from "commander";
import { utf8 } from "../../bytes/octets.ts";
import { CLAUSES } from "../../guard/clauses.ts";
import { parseGuard } from "../../guard/check.ts";
import type { LiveConfig } from "../../guard/config-dump.ts";
import { coverageOf, type Coverage, type CoverageRow } from "../../guard/coverage.ts";
import { inboundPorts } from "../../guard/inbound-ports.ts";
import { proposeGuard, STRICT } from "../../guard/propose.ts";
import type { Guard } from "../../guard/types.ts";
import type { CliContext } from "../context.ts";
import { Exit } from "../failure.ts";
import { LOCAL_MODULES, readGuards, readLiveConfig, type GuardFlags } from "../live-config.ts";
import { collect, example, jsonOption, outputOption } from "../options.ts";
import { columns, note, painter, printable, printJson, showHint } from "../ui.ts";
import { envoyOption } from "./guard.ts";

interface Options extends GuardFlags {
  readonly envoy: string;
  readonly output: "text" | "json";
}

export function doctorCommand(context: CliContext): Command {
  const command = new Command("doctor")
    .summary("show which ports are covered, and which are open")
    .description(
      "Asks an Envoy what it runs with, and shows for each port that others can reach, and each of its chains,\n" +
        "whether the filter judges what comes in, and why not. Without --guard or --bundle it looks at every port as if\n" +
        "it had to be protected, with the belt. Exit code 0 when nothing is open, 1 otherwise.",
    )
    .addOption(envoyOption())
    .addOption(new Option("--guard <file>", "a Guard, signed or not yet; can be repeated").argParser(collect))
    .addOption(new Option("--bundle <file>", "the Guards that are signed in here").conflicts("guard"))
    .addOption(new Option("--pin <file>", "the trust root, for --bundle"))
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (options: Options) => {
      await doctor(context, options);
    });
  return example(
    command,
    "wpgate doctor --envoy http://127.0.0.1:15000\n" +
      "wpgate doctor --envoy http://127.0.0.1:15000 --bundle team-a/bundle.json --pin pin.json",
  );
}

async function doctor(context: CliContext, options: Options): Promise<void> {
  const config = await readLiveConfig(context, options.envoy);
  const guards = (await readGuards(context, options, config.labels)) ?? [guardOfEveryPort(config)];
  if (guards.length === 0) note(context, "no Guard applies to this workload: compare spec.selector with its labels");
  const coverage = coverageOf(config, guards, LOCAL_MODULES);
  const isOpen = coverage.rows.some(({ state }) => state === "open") || coverage.elsewhere.length > 0;
  if (options.output === "json") printJson(context, { open: isOpen, ...coverage });
  else show(context, coverage);
  if (isOpen) throw new Exit(1);
}

/** What the present configuration would have to keep, were each port in a Guard. */
function guardOfEveryPort(config: LiveConfig): Guard {
  const namespace = config.namespace === "" ? "default" : config.namespace;
  const { object } = proposeGuard(config, { ...LOCAL_MODULES, name: "doctor", namespace });
  const spec = object["spec"] as Readonly<Record<string, unknown>>;
  const ports = new Set(config.listeners.flatMap(inboundPorts).map(({ port }) => port));
  const every = { ...object, spec: { ...spec, belt: true, ports: [...ports].map((port) => ({ port })) } };
  const { guard } = parseGuard(utf8(JSON.stringify(every)));
  return guard ?? { ...STRICT, name: "doctor", belt: true, namespace };
}

function show(context: CliContext, { rows, elsewhere }: Coverage): void {
  const paint = painter(context.colour.stdout);
  const head = ["PORT", "LISTENER", "CHAIN", "STATE", "WHY"].map((text) => paint("bold", text));
  context.stdout(columns([head, ...rows.flatMap((row) => linesOf(row, paint))]));
  for (const { resource, where, clause, reason } of elsewhere)
    context.stdout(`${paint("red", "open")}  ${printable(`${resource} ${where}: ${clause}: ${reason}`)}\n`);
  const clauses = new Set([
    ...elsewhere.map(({ clause }) => clause as string),
    ...rows.flatMap(({ why }) => why.map((text) => text.slice(0, text.indexOf(":")))),
  ]);
  for (const { name, hint } of CLAUSES.values()) if (clauses.has(name)) showHint(context, `${name}: ${hint}`);
}

function linesOf(row: CoverageRow, paint: ReturnType<typeof painter>): readonly (readonly string[])[] {
  const state = paint(row.state === "open" ? "red" : "green", row.state);
  const [first = "", ...others] = row.why.map(printable);
  return [
    [String(row.port), printable(row.listener), printable(row.chain), state, first],
    ...others.map((text) => ["", "", "", "", text]),
  ];
}
