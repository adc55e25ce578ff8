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
import { readObjectInputs } from "./objects-input.ts";
import { collect } from "./options.ts";
import { recipientFiles, type OwnerFolder } from "./owner-folder.ts";

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
  const files = given.for ?? recipientFiles(folder);
  const recipients = await Promise.all(files.map((path) => loadRecipient(context, path)));
  if (recipients.length === 0)
    throw usageError("--for", "nobody could read it", "give --for FILE, made by wpgate keygen --recipient");
  const byId = new Map(recipients.map((recipient) => [keyIdOf(recipient.p256dh), recipient]));
  return { objects, recipients: [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, recipient]) => recipient) };
}

/** A key that signs must not decrypt too (RFC 8292 section 3.2).
 *  @throws ConfigError */
export function putsOf({ objects, recipients }: ObjectsToSeal, { root }: Published): readonly Put[] {
  const signing = new Set(root.document.keys.map(({ publicKey }) => keyIdOf(publicKey)));
  const both = recipients.map(({ p256dh }) => keyIdOf(p256dh)).find((id) => signing.has(id));
  if (both !== undefined)
    throw usageError(
      "--for",
      `key ${both} signs for this namespace`,
      "make the workload a key of its own with wpgate keygen --recipient",
    );
  return objects.map((object) => ({ object, recipients }));
}
