/** The next root of a namespace: signed by the threshold of the root before it and by its own, saved with its pin. */
import { join } from "node:path";
import type { RootDocument } from "../envelope/documents.ts";
import { readPublished, type Published } from "../owner/published.ts";
import { encodePin, type PinFile } from "../owner/pin.ts";
import { signRoot } from "../owner/root.ts";
import type { Signers } from "../owner/publish.ts";
import type { CliContext } from "./context.ts";
import { replaceFile } from "./files.ts";
import { refuseSharedKeys } from "./key-separation.ts";
import {
  FILES,
  loadRecipients,
  readBundle,
  refuseOtherAliases,
  writeBundle,
  type OwnerFolder,
} from "./owner-folder.ts";

export interface SuccessorOptions {
  readonly published: Published;
  /** The next root, but for `ep`, which is counted here. */
  readonly document: Omit<RootDocument, "ep">;
  readonly signers: Signers;
}

/** @throws VerifyError when the signers do not make a valid successor; nothing is saved then */
export async function appendRoot(context: CliContext, folder: OwnerFolder, options: SuccessorOptions): Promise<void> {
  const { published, signers } = options;
  refuseOtherAliases(context, folder);
  refuseSharedKeys(options.document.keys, await loadRecipients(context, folder));
  const document: RootDocument = { ...options.document, ep: published.root.document.ep + 1 };
  const { contact, lifetimeSec, namespace: ns } = folder.config;
  const root = await signRoot({
    document,
    sub: contact,
    nowMs: context.nowMs(),
    lifetimeSec: lifetimeSec.root,
    signers,
  });
  const bundle = { ...readBundle(folder), roots: [...published.roots, root.text] };
  readPublished({ pin: folder.pin, ns, bundle });
  const pin: PinFile = { ...folder.pin, roots: { ...folder.pin.roots, [ns]: root.digest } };
  writeBundle(folder, bundle);
  replaceFile({ path: join(folder.path, FILES.pin), content: `${encodePin(pin)}\n` });
}
