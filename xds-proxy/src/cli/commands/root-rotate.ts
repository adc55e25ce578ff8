/** `wpgate root rotate`: a new key in the place of an old one, without a moment in which consumers know neither. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { SIGNER_ROLES, type SignerRole } from "../../config/schema.ts";
import { keyIdOf } from "../../crypto/sha256.ts";
import { inspectEnvelope } from "../../envelope/inspect.ts";
import type { RootKey } from "../../envelope/documents.ts";
import type { Signer } from "../../envelope/seal.ts";
import { displayName } from "../../owner/object-name.ts";
import type { Published } from "../../owner/published.ts";
import type { CliContext } from "../context.ts";
import { Exit, usageError } from "../failure.ts";
import { shownPath } from "../files.ts";
import { createSigningKey, loadPublicKey, loadSigningKey } from "../key-files.ts";
import { dirOption, example, signerOptions, type SignerOptions } from "../options.ts";
import { FILES, openOwnerFolder, readBundle, readOwnPublished, withLock, type OwnerFolder } from "../owner-folder.ts";
import { appendRoot } from "../root-successor.ts";
import { endRotation, readRotation, replaceSigner, writeRotation, type Rotation } from "../rotation.ts";
import { reportLeft, signAgain } from "../sign-again.ts";
import { signersFor } from "../signers.ts";
import { note } from "../ui.ts";

interface Options extends SignerOptions {
  readonly dir: string;
  readonly role?: SignerRole;
  readonly old?: string;
  readonly with?: string;
  readonly revoke?: true;
}

export function rootRotateCommand(context: CliContext): Command {
  const [signer, publicKey] = signerOptions("root");
  const command = new Command("rotate")
    .summary("put a new key in the place of an old one")
    .description(
      "Walks through a rotation, one step each time it is run, and says what is left:\n" +
        "  1. root N+1 lists the old key and a new one, and what the old one signed is signed by the new one\n" +
        "  2. once nothing depends on the old key, root N+2 lists it no more\n" +
        "With --revoke there is one step: root N+1 has the new key only, refuses everything signed before, and\n" +
        "versions begin again; everything has to be signed again from its sources. That is for a key that\n" +
        "somebody else may have, and with it the bundle.",
    )
    .addOption(dirOption())
    .addOption(new Option("--role <role>", "which key to replace").choices(SIGNER_ROLES))
    .addOption(new Option("--old <id>", "key id of the old key, where several have the role"))
    .addOption(new Option("--with <file>", "public key that takes over, made elsewhere (default: a new one in keys/)"))
    .option("--revoke", "at once, and refuse everything that was signed before")
    .addOption(signer)
    .addOption(publicKey)
    .action(async (options: Options) => {
      const folder = openOwnerFolder(context, options.dir);
      const rotation = readRotation(folder);
      if (rotation !== undefined && options.role !== undefined && options.role !== rotation.role)
        throw usageError(
          "--role",
          `the ${rotation.role} key is being replaced`,
          "bring that to its end first, without --role",
        );
      if (rotation === undefined) await begin(context, folder, options);
      else await finish(context, folder, { rotation, options });
    });
  return example(command, "wpgate root rotate -C team-a --role fresh\nwpgate root rotate -C team-a");
}

async function begin(context: CliContext, folder: OwnerFolder, options: Options): Promise<void> {
  const { role, revoke = false } = options;
  if (role === undefined)
    throw usageError("--role", "is missing: no rotation is under way", "give --role root, cfg or fresh");
  await withLock(context, folder.path, async () => {
    const published = readOwnPublished(folder);
    const { ep, ...root } = published.root.document;
    const old = oldKey(root.keys, role, options.old);
    const fresh = await replacementKey(context, folder, { role, ep: ep + 1, given: options.with });
    const keys = withKey(revoke ? withoutRole(root.keys, old, role) : root.keys, fresh.publicKey, role);
    const signers = await signersFor(context, folder, "root", options);
    await appendRoot(context, folder, {
      published,
      document: { ...root, keys, minEp: revoke ? ep + 1 : root.minEp },
      signers: role === "root" && fresh.signer !== undefined ? [...signers, fresh.signer] : signers,
    });
    const ids = { old: keyIdOf(old.publicKey), new: keyIdOf(fresh.publicKey) };
    note(context, `root ${ep + 1}: ${role} key ${ids.new} ${revoke ? "instead of" : "beside"} ${ids.old}`);
    if (fresh.path !== undefined) useNewKey(context, folder, role, fresh.path);
    if (!revoke) writeRotation(folder, { role, ...ids });
  });
  const left = revoke
    ? [FROM_SOURCES]
    : [
        ...(await signAgain(context, openOwnerFolder(context, options.dir))),
        "wpgate root rotate, once more: it takes the old key out",
      ];
  reportLeft(context, left);
}

interface FinishOptions {
  readonly rotation: Rotation;
  readonly options: Options;
}

async function finish(context: CliContext, folder: OwnerFolder, { rotation, options }: FinishOptions): Promise<void> {
  const { role, old } = rotation;
  const { revoke = false } = options;
  await withLock(context, folder.path, async () => {
    const published = readOwnPublished(folder);
    const left = dependents(published, readBundle(folder).fresh, old);
    if (left.length > 0 && !revoke) {
      for (const name of left) context.stdout(`still signed by the old key: ${name}\n`);
      reportLeft(context, [
        "sign these again: wpgate set --renew, wpgate seal SOURCES, wpgate fresh",
        "wpgate root rotate, once more",
      ]);
      throw new Exit(1);
    }
    const { ep, ...root } = published.root.document;
    const found = root.keys.find(({ publicKey }) => keyIdOf(publicKey) === old);
    const keys = found === undefined ? root.keys : withoutRole(root.keys, found, role);
    const signers = await signersFor(context, folder, "root", options);
    await appendRoot(context, folder, {
      published,
      document: { ...root, keys, minEp: revoke ? ep + 1 : root.minEp },
      signers,
    });
    endRotation(folder);
    note(context, `root ${ep + 1}: ${role} key ${old} is gone`);
  });
  reportLeft(context, [...(revoke ? [FROM_SOURCES] : []), `destroy the private key ${old}`]);
}

const FROM_SOURCES = "sign everything again from its sources: wpgate sign SOURCES --seal SOURCES";

function oldKey(keys: readonly RootKey[], role: SignerRole, given: string | undefined): RootKey {
  const holders = keys.filter(({ roles }) => roles.includes(role));
  const [first, second] =
    given === undefined ? holders : holders.filter(({ publicKey }) => keyIdOf(publicKey) === given);
  if (first !== undefined && second === undefined) return first;
  const ids = holders.map(({ publicKey }) => keyIdOf(publicKey)).join(", ");
  throw usageError(
    "--old",
    `says which key with the role ${role} goes`,
    ids === "" ? "there is none" : `these have it: ${ids}`,
  );
}

interface Replacement {
  readonly publicKey: Uint8Array;
  /** Only of a key that was made here. */
  readonly path?: string;
  readonly signer?: Signer;
}

async function replacementKey(
  context: CliContext,
  folder: OwnerFolder,
  { role, ep, given }: { readonly role: SignerRole; readonly ep: number; readonly given: string | undefined },
): Promise<Replacement> {
  if (given !== undefined) return { publicKey: await loadPublicKey(context, given) };
  const path = `${FILES.keys}/${role}-${ep}.pem`;
  const file = resolve(folder.path, path);
  // A run that did not come to its end has left it; a key that was used never stays here under this name.
  if (!existsSync(file)) createSigningKey({ path: file, force: false });
  note(context, `new ${role} key: ${shownPath(context, file)}`);
  const signer = await loadSigningKey(context, file);
  return { publicKey: signer.publicKey, path, signer };
}

function useNewKey(context: CliContext, folder: OwnerFolder, role: SignerRole, path: string): void {
  if (!replaceSigner(folder, role, path))
    note(context, `write ${path} into signers.${role} of ${FILES.config}: there is not exactly one to replace`);
}

function withKey(keys: readonly RootKey[], publicKey: Uint8Array, role: SignerRole): readonly RootKey[] {
  const id = keyIdOf(publicKey);
  const known = keys.find((key) => keyIdOf(key.publicKey) === id);
  if (known === undefined) return [...keys, { publicKey, roles: [role] }];
  if (known.roles.includes(role))
    throw usageError("--with", `key ${id} has the role ${role} already`, "give another key");
  return keys.map((key) => (key === known ? { publicKey, roles: [...key.roles, role] } : key));
}

function withoutRole(keys: readonly RootKey[], old: RootKey, role: SignerRole): readonly RootKey[] {
  return keys.flatMap((key) => {
    const roles = key === old ? key.roles.filter((other) => other !== role) : key.roles;
    return roles.length === 0 ? [] : [{ ...key, roles }];
  });
}

function dependents(published: Published, fresh: string | undefined, old: string): readonly string[] {
  const texts = [
    ...[...published.objects.values()].flatMap((object) =>
      object.parts.map(({ text }) => [displayName(object), text] as const),
    ),
    ...(published.set === undefined ? [] : [["the set", published.set.text] as const]),
    ...(fresh === undefined ? [] : [["fresh", fresh] as const]),
  ];
  return [...new Set(texts.filter(([, text]) => inspectEnvelope(text).signers.includes(old)).map(([name]) => name))];
}
