/** Objects to seal and whom for: what `seal` and `sign --seal` share. */
import { Option } from "commander";
import { keyIdOf } from "../crypto/sha256.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import type { OwnerObject } from "../owner/objects.ts";
import type { Put } from "../owner/publish.ts";
import type { Published } from "../owner/published.ts";
import type { CliContext } from "./context.ts";
import { usageError } from "./failure.ts";
import { loadRecipient } from "./key-files.ts";
import { refuseSharedKeys } from "./key-separation.ts";
import { readObjectInputs } from "./objects-input.ts";
import { collect } from "./options.ts";
import { loadRecipients, type OwnerFolder } from "./owner-folder.ts";

export interface ObjectsToSeal {
  readonly objects: readonly OwnerObject[];
  readonly recipients: readonly RecipientPublic[];
}

export function recipientOption(): Option {
  return new Option(
    "--for <file>",
    "who can read what is sealed; can be repeated (default: all in recipients/)",
  ).argParser(collect);
}

export async function readObjectsToSeal(
  context: CliContext,
  folder: OwnerFolder,
  given: { readonly paths: readonly string[]; readonly for: readonly string[] | undefined },
): Promise<ObjectsToSeal> {
  const objects = await readObjectInputs(context, given.paths, folder.config.namespace);
  const recipients =
    given.for === undefined
      ? await loadRecipients(context, folder)
      : await Promise.all(given.for.map((path) => loadRecipient(context, path)));
  if (recipients.length === 0)
    throw usageError("--for", "nobody could read it", "give --for FILE, made by wpgate keygen --recipient");
  const byId = new Map(recipients.map((recipient) => [keyIdOf(recipient.p256dh), recipient]));
  return { objects, recipients: [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, recipient]) => recipient) };
}

/** @throws ConfigError when a recipient's key signs for the namespace */
export function putsOf({ objects, recipients }: ObjectsToSeal, { root }: Published): readonly Put[] {
  refuseSharedKeys(root.document.keys, recipients);
  return objects.map((object) => ({ object, recipients }));
}
