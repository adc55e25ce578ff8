/** `wpgate filter …`: the Wasm module and the trust root inside it. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { projectFile } from "../../demo/project-file.ts";
import { pinModule, pinOf } from "../../pin/pin-module.ts";
import { parsePin } from "../../owner/pin.ts";
import { encodeRecipientVariable, RECIPIENT_VARIABLE } from "../../owner/recipient.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { readInput, readTextInput, replaceFile } from "../files.ts";
import { loadExchangeKey } from "../key-files.ts";
import { example, jsonOption, outputOption } from "../options.ts";
import { note, printJson } from "../ui.ts";

interface Options {
  readonly pin: string;
  readonly out: string;
  readonly output: "text" | "json";
}

const SHIPPED = "filter/build/wpgate.wasm";

export function filterCommand(context: CliContext): Command {
  return new Command("filter")
    .summary("write the trust root into the filter's module")
    .description("The Wasm module that runs inside Envoy.")
    .addCommand(pinCommand(context))
    .addCommand(environmentCommand(context));
}

function environmentCommand(context: CliContext): Command {
  const command = new Command("env")
    .summary("hand a recipient's key to the proxy")
    .description(
      "Writes the private key and auth secret of a recipient as the environment variable that the filter reads,\n" +
        "for the container of the proxy and nobody else. With --out it is a file for its owner alone; without, it\n" +
        "goes to stdout, for a pipe: | kubectl create secret generic wpgate --from-env-file=/dev/stdin",
    )
    .argument("<key>", "private key, made by wpgate keygen --recipient")
    .addOption(new Option("--out <file>", "where it goes, mode 0600"))
    .action(async (path: string, { out }: { readonly out?: string }) => {
      const line = `${RECIPIENT_VARIABLE}=${encodeRecipientVariable(await loadExchangeKey(context, path))}\n`;
      if (out !== undefined) replaceFile({ path: resolve(context.cwd, out), content: line, mode: 0o600 });
      else if (context.colour.stdout)
        throw usageError(
          "stdout",
          "is a terminal, and a private key is not for the screen",
          "give --out FILE, or pipe it",
        );
      else context.stdout(line);
    });
  return example(command, "wpgate filter env backend.pem --out backend.env");
}

function pinCommand(context: CliContext): Command {
  const command = new Command("pin")
    .summary("write the trust root into the module")
    .description(
      "Writes the pin into a copy of wpgate.wasm, at the place that is reserved for it, and prints the SHA-256 of\n" +
        "the result: the module that Envoy runs, and the digest that wpgate wasmplugin needs. An unpinned module\n" +
        "answers 503 to everything.",
    )
    .argument("[module]", "wpgate.wasm, pinned or not (default: the one that is shipped)")
    .addOption(new Option("--pin <file>", "the trust root, as wpgate root init printed it").makeOptionMandatory())
    .addOption(new Option("--out <file>", "where the pinned module goes").makeOptionMandatory())
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (module: string | undefined, options: Options) => {
      const pin = parsePin(await readTextInput(context, options.pin), options.pin);
      const wasm = await readInput(context, module ?? projectFile(SHIPPED));
      const before = pinOf(wasm);
      const pinned = pinModule(wasm, pin);
      replaceFile({ path: resolve(context.cwd, options.out), content: pinned });
      const sha256 = createHash("sha256").update(pinned).digest("hex");
      if (options.output === "json") printJson(context, { sha256, file: options.out, pin });
      else context.stdout(`${sha256}\n`);
      const namespaces = Object.keys(pin.roots).join(", ");
      note(context, `${options.out} is pinned to ${namespaces}${before === undefined ? "" : "; its pin was replaced"}`);
    });
  return example(command, "wpgate filter pin --pin pin.json --out pinned.wasm");
}
