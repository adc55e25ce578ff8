/**
 * A namespace owner's folder. Everything but `keys/` may be public; `bundle.json` is what travels.
 *
 *   wpgate.yaml    who the owner is, which signers sign, lifetimes
 *   pin.json       the trust root that consumers are given
 *   keys/          private keys, mode 0600, and their public halves
 *   recipients/    *.recipient.json of the workloads of this namespace that can read sealed objects
 *   bundle.json    roots, set, fresh and statements, as the filter takes them
 *
 * Versions are not kept in a file of their own: they are in the signed set, and never fall behind the clock.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CONFIG_FILE, loadOwnerConfig } from "../config/load.ts";
import type { OwnerConfig } from "../config/schema.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import { ConfigError, VerifyError } from "../errors.ts";
import { encodeBundle, parseBundle, type NamespaceBundle } from "../owner/bundle.ts";
import { parsePin, type PinFile } from "../owner/pin.ts";
import { readPublished, type Published } from "../owner/published.ts";
import type { CliContext } from "./context.ts";
import { Hinted, usageError } from "./failure.ts";
import { replaceFile, shownPath } from "./files.ts";
import { loadRecipient } from "./key-files.ts";

export interface OwnerFolder {
  /** Absolute. */
  readonly path: string;
  readonly config: OwnerConfig;
  readonly pin: PinFile;
}

export const FILES: Readonly<Record<"config" | "pin" | "bundle" | "keys" | "recipients", string>> = {
  config: CONFIG_FILE,
  pin: "pin.json",
  bundle: "bundle.json",
  keys: "keys",
  recipients: "recipients",
};
const LOCK_FILE = ".wpgate.lock";
const LOCK_TRIES = 100;
const LOCK_PAUSE_MS = 50;

/** @throws ConfigError, with a hint when there is no such folder yet. */
export function openOwnerFolder(context: CliContext, dir: string): OwnerFolder {
  const path = resolve(context.cwd, dir);
  if (!existsSync(join(path, FILES.config))) {
    throw usageError(
      shownPath(context, path),
      `is not an owner's folder: it has no ${FILES.config}`,
      "give one with -C FOLDER, or make one with wpgate root init",
    );
  }
  return { path, config: loadOwnerConfig(path), pin: parsePin(read(path, FILES.pin), join(path, FILES.pin)) };
}

/** What the pin says is what consumers do; that it says something else than the configuration must not go unseen.
 *  @throws ConfigError */
export function refuseOtherAliases(context: CliContext, { path, config, pin }: OwnerFolder): void {
  const [wanted, pinned] = [config.trustDomainAliases, pin.trustDomainAliases ?? []].map((names) =>
    names.length === 0 ? "none" : names.toSorted().join(", "),
  );
  if (wanted === pinned) return;
  throw usageError(
    shownPath(context, join(path, FILES.pin)),
    `trustDomainAliases: is ${pinned} here, and ${wanted} in ${FILES.config}`,
    "change one of them, and pin the modules again; wpgate root pin PIN --trust-domain-alias NAME prints a pin with others",
  );
}

export function readBundle(folder: OwnerFolder): NamespaceBundle {
  const file = join(folder.path, FILES.bundle);
  const { sets } = parseBundle(read(folder.path, FILES.bundle), file);
  const [bundle] = sets;
  if (bundle === undefined || sets.length > 1)
    throw new ConfigError([{ path: file, message: "must hold exactly one namespace's part" }]);
  return bundle;
}

/** What the folder has published, authentic under its own pin. */
export function readOwnPublished(folder: OwnerFolder): Published {
  try {
    return readPublished({ pin: folder.pin, ns: folder.config.namespace, bundle: readBundle(folder) });
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    throw new Hinted(error, `${FILES.bundle} does not belong to ${FILES.pin}: fetch the right one, nothing was signed`);
  }
}

export function writeBundle(folder: OwnerFolder, bundle: NamespaceBundle): void {
  replaceFile({ path: join(folder.path, FILES.bundle), content: encodeBundle([bundle]) });
}

/** Paths of the recipients that belong to the namespace. */
function recipientFiles(folder: OwnerFolder): readonly string[] {
  const dir = join(folder.path, FILES.recipients);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(dir, name));
}

/** Who belongs to the namespace and can read what is sealed. */
export async function loadRecipients(context: CliContext, folder: OwnerFolder): Promise<readonly RecipientPublic[]> {
  return await Promise.all(recipientFiles(folder).map((path) => loadRecipient(context, path)));
}

/** One wpgate at a time changes a folder: `fresh --watch` and `sign` both rewrite the bundle. */
export async function withLock<T>(context: CliContext, folder: string, action: () => Promise<T>): Promise<T> {
  const path = join(folder, LOCK_FILE);
  for (let tries = 1; !tryLock(path); tries++) {
    if (tries === LOCK_TRIES)
      throw usageError(
        path,
        "another wpgate is at work in this folder",
        "wait for it; remove the file if there is none",
      );
    await sleep(LOCK_PAUSE_MS, undefined, { signal: context.signal });
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, "wx", 0o600);
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw notWritable(path, error);
    if (!isAlive(path)) rmSync(path, { force: true });
    return false;
  }
}

/** Whether the process that holds the lock still runs; a lock that is just being written counts as held. */
function isAlive(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    if (pid > 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function notWritable(path: string, cause: unknown): ConfigError {
  return new ConfigError([{ path, message: `cannot be written: ${cause instanceof Error ? cause.message : ""}` }]);
}

function read(folder: string, name: string): string {
  const path = join(folder, name);
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new ConfigError([{ path, message: "cannot be read" }]);
  }
}
