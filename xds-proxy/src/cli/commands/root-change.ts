/** `wpgate root change`: other settings, more or fewer keys, or only a new lifetime. */
import { Command, InvalidArgumentError, Option } from "commander";
import { keyIdOf } from "../../crypto/sha256.ts";
import type { RootKey } from "../../envelope/documents.ts";
import { ROLES, type Role } from "../../envelope/roles.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { loadPublicKey } from "../key-files.ts";
import { collect, dirOption, example, signerOptions, type SignerOptions } from "../options.ts";
import { openOwnerFolder, readOwnPublished, withLock } from "../owner-folder.ts";
import { appendRoot } from "../root-successor.ts";
import { addSettingOptions, settingsOf, type SettingOptions } from "../root-settings.ts";
import { reportLeft, signAgain } from "../sign-again.ts";
import { signersFor } from "../signers.ts";
import { note } from "../ui.ts";

interface Options extends SettingOptions, SignerOptions {
  readonly dir: string;
  readonly addKey?: readonly NewRole[];
  readonly removeKey?: readonly string[];
}

interface NewRole {
  readonly role: Role;
  readonly file: string;
}

export function rootChangeCommand(context: CliContext): Command {
  const [signer, publicKey] = signerOptions("root");
  const command = new Command("change")
    .summary("other settings or keys, or a longer life")
    .description(
      "Signs the next root with what is given, the rest as before; without options it only gets a new lifetime.\n" +
        "What is published is signed again under it. To put one key in the place of another there is\n" +
        "wpgate root rotate.",
    )
    .addOption(dirOption());
  addSettingOptions(command)
    .addOption(new Option("--add-key <role=file>", "a public key gets a role; can be repeated").argParser(newRole))
    .addOption(new Option("--remove-key <id>", "a key loses all roles; can be repeated").argParser(collect))
    .addOption(signer)
    .addOption(publicKey)
    .action(async (options: Options) => {
      const folder = openOwnerFolder(context, options.dir);
      await withLock(context, folder.path, async () => {
        const published = readOwnPublished(folder);
        const { ep, ...root } = published.root.document;
        const keys = await changedKeys(context, root.keys, options);
        const thresholds = { ...root.thresholds, ...options.threshold };
        const signers = await signersFor(context, folder, "root", options);
        await appendRoot(context, folder, {
          published,
          document: { ...root, keys, thresholds, ...settingsOf(options) },
          signers,
        });
        note(context, `root ${ep + 1} is in bundle.json, and pin.json names it`);
      });
      reportLeft(context, await signAgain(context, openOwnerFolder(context, options.dir)));
    });
  return example(command, "wpgate root change -C team-a --mode monitor --add-key push=ci.pub.pem");
}

async function changedKeys(
  context: CliContext,
  keys: readonly RootKey[],
  options: Options,
): Promise<readonly RootKey[]> {
  const removed = new Set(options.removeKey ?? []);
  const out = new Map(keys.map((key) => [keyIdOf(key.publicKey), key]));
  for (const id of removed)
    if (!out.delete(id))
      throw usageError("--remove-key", `${id} is not in the root`, `it has ${[...out.keys()].join(", ")}`);
  for (const { role, file } of options.addKey ?? []) {
    const publicKey = await loadPublicKey(context, file);
    const id = keyIdOf(publicKey);
    const roles = out.get(id)?.roles ?? [];
    out.set(id, { publicKey, roles: roles.includes(role) ? roles : [...roles, role] });
  }
  return [...out.values()];
}

function newRole(text: string, before: readonly NewRole[] = []): readonly NewRole[] {
  const [name, ...file] = text.split("=");
  const role = ROLES.find((known) => known === name);
  if (role === undefined || file.length === 0)
    throw new InvalidArgumentError("It must be ROLE=FILE, such as push=proxy.pub.pem.");
  return [...before, { role, file: file.join("=") }];
}
