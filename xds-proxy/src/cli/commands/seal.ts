/** `wpgate seal`: objects that only some workloads can read. */
import { Command, Option } from "commander";
import type { RecipientPublic } from "../../envelope/types.ts";
import { keyIdOf } from "../../crypto/sha256.ts";
import { objectKey } from "../../owner/object-name.ts";
import type { OwnerObject } from "../../owner/objects.ts";
import type { Published } from "../../owner/published.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { loadRecipient } from "../key-files.ts";
import { readObjectInputs } from "../objects-input.ts";
import { collect, example, SIGNER_HELP } from "../options.ts";
import { openOwnerFolder, recipientFiles, type OwnerFolder } from "../owner-folder.ts";
import { changePublished, type PublishingOptions, type Wanted } from "../publishing.ts";
import { addPublishingOptions } from "./sign.ts";

interface Options extends PublishingOptions {
  readonly dir: string;
  readonly for?: readonly string[];
  readonly prune?: true;
}

export function sealCommand(context: CliContext): Command {
  const command = new Command("seal")
    .summary("encrypt and sign objects for some workloads")
    .description(
      "Like sign, but each object is encrypted (RFC 8291) for every recipient: carriers see its name and length\n" +
        "and nothing else. A recipient is the .recipient.json that wpgate keygen --recipient made, or a push\n" +
        "subscription. Every sealing is new, so its version grows each time. Once anything is sealed, all\n" +
        "consumers of the namespace need a key: put their files into recipients/.",
    )
    .argument("<path...>", "files, folders, or -")
    .addOption(
      new Option("--for <file>", "recipient; can be repeated (default: all in recipients/)").argParser(collect),
    )
    .option("--prune", "remove sealed objects that are not given");
  addPublishingOptions(command).action(async (paths: string[], options: Options) => {
    const folder = openOwnerFolder(context, options.dir);
    const objects = await readObjectInputs(context, paths, folder.config.namespace);
    const recipients = await recipientsOf(context, folder, options.for);
    await changePublished(context, folder, options, (published) => decide({ published, objects, recipients, options }));
  });
  return example(
    command,
    `echo '{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "partners"},
  "spec": {"rules": [{"from": [{"source": {"remoteIpBlocks": ["203.0.113.0/24"]}}]}]}}' > partners.json
wpgate seal -C team-a partners.json --for backend.recipient.json`,
    SIGNER_HELP,
  );
}

async function recipientsOf(
  context: CliContext,
  folder: OwnerFolder,
  given: readonly string[] | undefined,
): Promise<readonly RecipientPublic[]> {
  const paths = given ?? recipientFiles(folder);
  const recipients = await Promise.all(paths.map((path) => loadRecipient(context, path)));
  if (recipients.length === 0)
    throw usageError("--for", "nobody could read it", "give --for FILE, made by wpgate keygen --recipient");
  const byId = new Map(recipients.map((recipient) => [keyIdOf(recipient.p256dh), recipient]));
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, recipient]) => recipient);
}

interface Decision {
  readonly published: Published;
  readonly objects: readonly OwnerObject[];
  readonly recipients: readonly RecipientPublic[];
  readonly options: Options;
}

function decide({ published, objects, recipients, options }: Decision): Wanted {
  refuseSigningKeys(published, recipients);
  const given = new Set(objects.map(objectKey));
  const others = [...published.objects.values()].filter(
    (object) => object.data === undefined && !given.has(objectKey(object)),
  );
  return { put: objects.map((object) => ({ object, recipients })), remove: options.prune ? others : [] };
}

/** A key that signs must not decrypt too (RFC 8292 section 3.2). */
function refuseSigningKeys({ root }: Published, recipients: readonly RecipientPublic[]): void {
  const signing = new Set(root.document.keys.map(({ publicKey }) => keyIdOf(publicKey)));
  const both = recipients.map(({ p256dh }) => keyIdOf(p256dh)).find((id) => signing.has(id));
  if (both !== undefined)
    throw usageError(
      "--for",
      `key ${both} signs for this namespace`,
      "make the workload a key of its own with wpgate keygen --recipient",
    );
}
