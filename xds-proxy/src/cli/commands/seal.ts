/** `wpgate seal`: objects that only some workloads can read. */
import { Command } from "commander";
import type { CliContext } from "../context.ts";
import { example, SIGNER_HELP } from "../options.ts";
import { openOwnerFolder } from "../owner-folder.ts";
import { changePublished, othersThan, type PublishingOptions } from "../publishing.ts";
import { putsOf, readObjectsToSeal, recipientOption } from "../sealing.ts";
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
    .addOption(recipientOption())
    .option("--prune", "remove sealed objects that are not given");
  addPublishingOptions(command).action(async (paths: string[], options: Options) => {
    const folder = openOwnerFolder(context, options.dir);
    const toSeal = await readObjectsToSeal(context, folder, { paths, for: options.for });
    await changePublished(context, folder, options, (published) => ({
      put: putsOf(toSeal, published),
      remove: options.prune ? othersThan(published, toSeal.objects, true) : [],
    }));
  });
  return example(
    command,
    `echo '{"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "partners"},
  "spec": {"rules": [{"from": [{"source": {"remoteIpBlocks": ["203.0.113.0/24"]}}]}]}}' > partners.json
wpgate seal -C team-a partners.json --for backend.recipient.json`,
    SIGNER_HELP,
  );
}
