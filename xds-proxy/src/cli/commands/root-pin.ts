/** `wpgate root pin`: one pin for all namespaces that a consumer needs. */
import { Command, Option } from "commander";
import { aliasesMember, encodePin, mergePins, parsePin } from "../../owner/pin.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { readTextInput } from "../files.ts";
import { collect, example } from "../options.ts";

interface Options {
  readonly role: "policy" | "ads";
  readonly rootNamespace?: string;
  readonly trustDomainAlias?: readonly string[];
}

export function rootPinCommand(context: CliContext): Command {
  const command = new Command("pin")
    .summary("join pins of several namespaces")
    .description(
      "Prints one pin with the roots of all that are given: a workload needs its own namespace's and that of\n" +
        "the root namespace.",
    )
    .argument("<pin...>", "pin.json files")
    .addOption(
      new Option("--role <role>", "what the module that gets it does").choices(["policy", "ads"]).default("policy"),
    )
    .addOption(
      new Option(
        "--trust-domain-alias <name>",
        "another name of the trust domain, instead of those in the pins; can be repeated",
      ).argParser(collect),
    )
    .addOption(new Option("--root-namespace <name>", "where mesh-wide policies live (default: as in the first)"))
    .action(async (paths: string[], options: Options) => {
      const pins = await Promise.all(paths.map(async (path) => parsePin(await readTextInput(context, path), path)));
      const given = {
        role: options.role,
        ...(options.rootNamespace !== undefined && { rootNamespace: options.rootNamespace }),
        ...aliasesMember(options.trustDomainAlias),
      };
      const [first, ...others] = pins.map((pin) => ({ ...pin, ...given }));
      if (first === undefined) throw usageError("pin", "is missing", "see wpgate root pin --help");
      const pin = encodePin(mergePins([first, ...others]));
      parsePin(pin, "command line");
      context.stdout(`${pin}\n`);
    });
  return example(command, "wpgate root pin team-a/pin.json > pin.json");
}
