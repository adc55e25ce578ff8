/** Signers from `--signer`, or from wpgate.yaml where none is given. */
import { resolve } from "node:path";
import type { SignerRole, SignerSource } from "../config/schema.ts";
import type { Signer } from "../envelope/seal.ts";
import type { RootDocument } from "../envelope/documents.ts";
import { ConfigError } from "../errors.ts";
import type { Signers } from "../owner/publish.ts";
import type { CliContext } from "./context.ts";
import { ExecSigner } from "./exec-signer.ts";
import { Hinted, usageError } from "./failure.ts";
import { loadPublicKey, loadSigningKey } from "./key-files.ts";
import type { SignerOptions } from "./options.ts";
import type { OwnerFolder } from "./owner-folder.ts";
import { note } from "./ui.ts";
import { keyIdOf } from "../crypto/sha256.ts";

const EXEC = "exec:";

/** @throws ConfigError when there is no signer for this role. */
export async function signersFor(
  context: CliContext,
  folder: OwnerFolder,
  role: SignerRole,
  given: SignerOptions = {},
): Promise<Signers> {
  const signers =
    given.signer !== undefined ? await givenSigners(context, given) : await configured(context, folder, role);
  const [first, ...others] = signers;
  if (first === undefined)
    throw usageError(
      `signers.${role}`,
      "nobody signs",
      `give --signer FILE, or list one in ${folder.path}/wpgate.yaml`,
    );
  return [first, ...others];
}

/**
 * Signers of fresh: the keys for it where they are at hand, else those that sign the set, which may confirm it too. On a
 * machine that signs, the fresh key is often elsewhere on purpose.
 */
export async function freshSignersFor(
  context: CliContext,
  folder: OwnerFolder,
  cfgSigners: () => Promise<Signers>,
): Promise<Signers> {
  if (folder.config.signers.fresh.length === 0) return await cfgSigners();
  try {
    return await signersFor(context, folder, "fresh");
  } catch (error) {
    if (!(error instanceof Hinted) || !(error.error instanceof ConfigError)) throw error;
    note(context, "the fresh key is not here; the set's own signers confirm it");
    return await cfgSigners();
  }
}

async function givenSigners(context: CliContext, given: SignerOptions): Promise<readonly Signer[]> {
  const publicKeys = [...(given.publicKey ?? [])];
  const sources = (given.signer ?? []).map((text): SignerSource => {
    if (!text.startsWith(EXEC)) return { kind: "file", path: text };
    const publicKey = publicKeys.shift();
    if (publicKey === undefined)
      throw usageError(
        "--signer",
        `${text} needs the key it signs with`,
        "add --public-key FILE, a PEM file PUBLIC KEY",
      );
    return { kind: "exec", command: text.slice(EXEC.length), publicKey };
  });
  if (publicKeys.length > 0)
    throw usageError("--public-key", "belongs to a --signer exec:…", "a key file needs no --public-key");
  return await load(context, sources, context.cwd);
}

async function configured(context: CliContext, folder: OwnerFolder, role: SignerRole): Promise<readonly Signer[]> {
  const sources = folder.config.signers[role];
  try {
    return await load(context, sources, folder.path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new Hinted(
      error,
      `signers.${role} in wpgate.yaml names it; is the ${role} key kept elsewhere? give --signer`,
    );
  }
}

async function load(context: CliContext, sources: readonly SignerSource[], base: string): Promise<readonly Signer[]> {
  const at = (path: string): string => (base === context.cwd ? path : resolve(base, path));
  return await Promise.all(
    sources.map(async (source): Promise<Signer> => {
      if (source.kind === "file") return await loadSigningKey(context, at(source.path));
      return new ExecSigner({
        command: source.command,
        publicKey: await loadPublicKey(context, at(source.publicKey)),
        ...{ cwd: base, environment: context.environment, signal: context.signal },
      });
    }),
  );
}

/** Says so before anything is signed when these keys may not sign this under the root.
 *  @throws ConfigError */
export function checkSigners(signers: Signers, role: SignerRole, root: RootDocument): void {
  const holders = root.keys.filter(({ roles }) => roles.includes(role) || (role === "fresh" && roles.includes("cfg")));
  const known = new Set(holders.map(({ publicKey }) => keyIdOf(publicKey)));
  const stranger = signers.map(({ publicKey }) => keyIdOf(publicKey)).find((id) => !known.has(id));
  if (stranger !== undefined)
    throw usageError(
      "--signer",
      `key ${stranger} has not the role ${role} in root ${root.ep}`,
      "give a key that has, or bring this one in with wpgate root rotate",
    );
}
