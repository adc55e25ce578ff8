/** `wpgate sign`: objects in clear, and the set that lists them, in one go. */
import { Command, Option } from "commander";
import { objectKey } from "../../owner/object-name.ts";
import type { OwnerObject } from "../../owner/objects.ts";
import type { Published } from "../../owner/published.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { readObjectInputs } from "../objects-input.ts";
import { putsOf, readObjectsToSeal, recipientOption, type ObjectsToSeal } from "../sealing.ts";
import {
  collect,
  dirOption,
  durationSec,
  example,
  jsonOption,
  outputOption,
  SIGNER_HELP,
  signerOptions,
} from "../options.ts";
import { openOwnerFolder } from "../owner-folder.ts";
import { changePublished, othersThan, type PublishingOptions, type Wanted } from "../publishing.ts";

interface Options extends PublishingOptions {
  readonly dir: string;
  readonly prune?: true;
  readonly unseal?: true;
  readonly seal?: readonly string[];
  readonly for?: readonly string[];
}

export function signCommand(context: CliContext): Command {
  const command = new Command("sign")
    .summary("sign objects and the set that lists them")
    .description(
      "Signs AuthorizationPolicy objects (YAML of one or many documents, JSON, - for stdin, folders of them)\n" +
        "and the set and fresh that make them current, and saves bundle.json. Objects that are not named stay\n" +
        "as they are; with --prune they are removed, so that a folder is all there is. Content that did not\n" +
        "change keeps its version. Unknown and unsupported fields are errors.",
    )
    .argument("<path...>", "files, folders, or -")
    .option("--prune", "remove objects in clear that are not given")
    .option("--unseal", "publish in clear what is sealed now")
    .addOption(new Option("--seal <path>", "seal these in the same go; can be repeated").argParser(collect))
    .addOption(recipientOption());
  addPublishingOptions(command).action(async (paths: string[], options: Options) => {
    const folder = openOwnerFolder(context, options.dir);
    const plain = await readObjectInputs(context, paths, folder.config.namespace);
    const toSeal =
      options.seal && (await readObjectsToSeal(context, folder, { paths: options.seal, for: options.for }));
    await changePublished(context, folder, options, (published) => decide({ published, plain, toSeal, options }));
  });
  return example(
    command,
    `echo '{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "allow-get"},
  "spec": {"rules": [{"to": [{"operation": {"methods": ["GET"]}}]}]}}' > allow-get.json
wpgate sign -C team-a allow-get.json
wpgate sign -C team-a allow-get.json --signer "exec:openssl dgst -sha256 -sign team-a/keys/cfg.pem" \\
  --public-key team-a/keys/cfg.pub.pem`,
    SIGNER_HELP,
  );
}

export function addPublishingOptions(command: Command): Command {
  const [signer, publicKey] = signerOptions("cfg");
  return command
    .addOption(dirOption())
    .addOption(signer)
    .addOption(publicKey)
    .addOption(
      new Option("--lifetime <time>", "how long signatures hold (default: wpgate.yaml)").argParser(durationSec),
    )
    .addOption(
      new Option("--fresh-for <time>", "how long this is current (default: the root's maximum)").argParser(durationSec),
    )
    .option("--renew", "sign again also what is still young")
    .option("--dry-run", "save nothing")
    .addOption(outputOption(["text", "json", "bundle"]))
    .addOption(jsonOption());
}

interface Decision {
  readonly published: Published;
  readonly plain: readonly OwnerObject[];
  readonly toSeal: ObjectsToSeal | undefined;
  readonly options: Options;
}

function decide({ published, plain, toSeal, options: { prune, unseal } }: Decision): Wanted {
  const sealedNow = new Set(othersThan(published, [], true).map(objectKey));
  const opened = plain.find((object) => sealedNow.has(objectKey(object)));
  if (opened !== undefined && !unseal)
    throw usageError(
      opened.source,
      `${opened.name} is sealed now, and this would publish it in clear`,
      "seal it again, or give --unseal if that is meant",
    );
  const given = [...plain, ...(toSeal?.objects ?? [])];
  return {
    put: [...plain.map((object) => ({ object, recipients: [] })), ...(toSeal ? putsOf(toSeal, published) : [])],
    remove: prune
      ? [...othersThan(published, given, false), ...(toSeal ? othersThan(published, given, true) : [])]
      : [],
  };
}
