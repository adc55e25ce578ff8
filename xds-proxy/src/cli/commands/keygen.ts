/** `wpgate keygen`: one key pair. */
import { resolve } from "node:path";
import { Command } from "commander";
import { encodeBase64Url } from "../../bytes/base64url.ts";
import type { CliContext } from "../context.ts";
import { shownPath } from "../files.ts";
import { createExchangeKey, createSigningKey } from "../key-files.ts";
import { example, jsonOption, outputOption } from "../options.ts";
import { note, printJson } from "../ui.ts";

interface Options {
  readonly recipient?: true;
  readonly force?: true;
  readonly output: "text" | "json";
}

export function keygenCommand(context: CliContext): Command {
  const command = new Command("keygen")
    .summary("make a key that signs, or one that decrypts")
    .description(
      "Makes a P-256 key pair: FILE is the private half (PKCS#8 PEM, mode 0600), and the public half lies\n" +
        "beside it. A key either signs or decrypts (RFC 8292 section 3.2), and neither can be used as the other.\n" +
        "Prints the public key.",
    )
    .argument("<file>", "where the private key goes, ends in .pem")
    .option("--recipient", "a key that decrypts, for a workload; FILE.recipient.json is for the owners who seal for it")
    .option("--force", "replace keys that are there")
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action((file: string, options: Options) => {
      const make = options.recipient ? createExchangeKey : createSigningKey;
      const { publicKey, keyId, publicPath } = make({
        path: resolve(context.cwd, file),
        force: options.force === true,
      });
      const text = encodeBase64Url(publicKey);
      if (options.output === "json")
        printJson(context, { keyId, publicKey: text, privateFile: file, publicFile: shownPath(context, publicPath) });
      else context.stdout(`${text}\n`);
      note(
        context,
        `key ${keyId}: ${file} is private, ${shownPath(context, publicPath)} ${options.recipient ? "goes to who seals" : "is public"}`,
      );
    });
  return example(command, "wpgate keygen ci.pem\nwpgate keygen --recipient backend.pem");
}
