/** What `sign`, `seal` and `set` have in common: change what the folder publishes, check the result, save it, say it. */
import { formatDurationSec } from "../config/duration.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import { ConfigError } from "../errors.ts";
import { encodeBundle } from "../owner/bundle.ts";
import { describe } from "../owner/describe.ts";
import { displayName, objectKey, type ObjectName } from "../owner/object-name.ts";
import { publish, type Change, type ChangeKind, type PublishResult, type Put } from "../owner/publish.ts";
import { readPublished, type Published } from "../owner/published.ts";
import type { CliContext } from "./context.ts";
import { refuseExpiredRoot, warnOfExpiry } from "./expiry.ts";
import { Hinted, usageError } from "./failure.ts";
import { refuseSharedKeys } from "./key-separation.ts";
import type { SignerOptions } from "./options.ts";
import { loadRecipients, readOwnPublished, withLock, writeBundle, type OwnerFolder } from "./owner-folder.ts";
import { checkSigners, freshSignersFor, signersFor } from "./signers.ts";
import { columns, note, painter, printJson, type Style } from "./ui.ts";

export interface PublishingOptions extends SignerOptions {
  readonly lifetime?: number;
  readonly freshFor?: number;
  readonly renew?: true;
  readonly dryRun?: true;
  readonly output: "text" | "json" | "bundle";
}

export interface Wanted {
  readonly put: readonly Put[];
  readonly remove: readonly ObjectName[];
}

/** @param decide - what to change, from what there is */
export async function changePublished(
  context: CliContext,
  folder: OwnerFolder,
  options: PublishingOptions,
  decide: (published: Published) => Wanted,
): Promise<void> {
  const result = await withLock(context, folder.path, async () => {
    const published = readOwnPublished(folder);
    refuseExpiredRoot(context, published);
    const wanted = decide(published);
    refuseToForget(published, wanted);
    const next = await publishNext({ context, folder, options, published, wanted });
    warnOfExpiry(context, checkResult(folder, next));
    if (!options.dryRun) writeBundle(folder, next.bundle);
    return next;
  });
  show(context, options, result);
}

/** A statement that does not count any more is signed again from its source, or removed by name, never lost in silence. */
function refuseToForget({ notKept }: Published, { put, remove }: Wanted): void {
  const settled = new Set([...put.map(({ object }) => object), ...remove].map(objectKey));
  const faults = notKept
    .filter(({ claimed, where, error }) => (where !== "set" || error.code === "OMITTED") && !settled.has(claimed))
    .map(({ claimed, where, error }) => ({
      path: `${where} (${claimed})`,
      message: `does not count any more: ${error.code}, ${error.message}`,
    }));
  if (faults.length > 0)
    throw new Hinted(
      new ConfigError(faults),
      "give all sources in one go (wpgate sign SOURCES --seal SOURCES), or drop objects with wpgate set --remove KIND/NAME",
    );
}

/** Objects of one kind, kept or not, that are not among `given`. */
export function othersThan(
  { objects, notKept }: Published,
  given: readonly ObjectName[],
  sealed: boolean,
): readonly ObjectName[] {
  const names = new Set(given.map(objectKey));
  const kept = [...objects.values()].filter(({ data }) => (data === undefined) === sealed);
  const lost = notKept.filter((item) => item.sealed === sealed).flatMap(({ claimed }) => nameOf(claimed));
  return [...kept, ...lost].filter((object) => !names.has(objectKey(object)));
}

interface NextOptions {
  readonly context: CliContext;
  readonly folder: OwnerFolder;
  readonly options: PublishingOptions;
  readonly published: Published;
  readonly wanted: Wanted;
}

async function publishNext({ context, folder, options, published, wanted }: NextOptions): Promise<PublishResult> {
  const { config } = folder;
  const root = published.root.document;
  const cfgSigners = await signersFor(context, folder, "cfg", options);
  const freshSigners = await freshSignersFor(context, folder, () => Promise.resolve(cfgSigners));
  checkSigners(cfgSigners, "cfg", root);
  checkSigners(freshSigners, "fresh", root);
  const known = await loadRecipients(context, folder);
  refuseSharedKeys(root.keys, known);
  return await publish({
    identity: {
      ...{ ns: config.namespace, mesh: config.mesh, trustDomain: config.trustDomain, sub: config.contact, ep: root.ep },
      lifetimeSec: options.lifetime ?? config.lifetimeSec.cfg,
      freshSec: Math.min(options.freshFor ?? root.maxFreshSec, root.maxFreshSec),
    },
    ...{ nowMs: context.nowMs(), published, ...wanted, cfgSigners, freshSigners, renewAll: options.renew === true },
    knownRecipients: known.map(({ p256dh }) => keyIdOf(p256dh)),
  });
}

/** What is about to be saved is read back as a consumer's first steps would: a wrong signer must not get out. */
function checkResult(folder: OwnerFolder, { bundle }: PublishResult): Published {
  const published = readPublished({ pin: folder.pin, ns: folder.config.namespace, bundle });
  const [fault] = published.notKept;
  if (fault !== undefined) throw fault.error;
  return published;
}

function show(context: CliContext, options: PublishingOptions, result: PublishResult): void {
  const freshSec = describe(result.bundle.fresh).claims.exp - Math.trunc(context.nowMs() / 1000);
  if (options.output === "bundle") context.stdout(`${encodeBundle([result.bundle])}\n`);
  else if (options.output === "json") printJson(context, summary(result));
  else context.stdout(changesText(context, result.changes));
  note(
    context,
    `${options.dryRun ? "would publish" : "published"} set ${result.setVer}; fresh for ${formatDurationSec(freshSec)}`,
  );
}

function summary({ changes, setVer }: PublishResult): unknown {
  return {
    set: setVer,
    objects: changes.map(({ rt, name, ver, kind, sealed }) => ({ rt, name, ver, change: kind, sealed })),
  };
}

const MARKS: Readonly<Record<ChangeKind, readonly [mark: string, style: Style]>> = {
  added: ["+", "green"],
  changed: ["~", "yellow"],
  renewed: ["=", "dim"],
  unchanged: ["=", "dim"],
  removed: ["-", "red"],
};

export function changesText(context: CliContext, changes: readonly Change[]): string {
  const paint = painter(context.colour.stdout);
  return columns(
    changes.map((change) => {
      const [mark, style] = MARKS[change.kind];
      const name = paint(style, `${mark} ${displayName(change)}`);
      return [name, change.ver, change.sealed ? `${change.kind}, sealed` : change.kind];
    }),
  );
}

/** `KIND/NAME` as people type it. @throws ConfigError when the set has no such object. */
export function findPublished({ objects, notKept }: Published, wanted: readonly string[]): readonly ObjectName[] {
  const names = [...objects.values(), ...notKept.flatMap(({ claimed }) => nameOf(claimed))];
  return wanted.map((text) => {
    const found = names.find((object) => displayName(object) === text);
    if (found !== undefined) return found;
    const known = [...objects.values()].map(displayName).join(", ");
    throw usageError(text, "is not in the set", known === "" ? "the set is empty" : `it has ${known}`);
  });
}

function nameOf(claimed: string): readonly ObjectName[] {
  const [rt, name] = claimed.split(" ", 2);
  return rt === undefined || name === undefined || !name.includes("/") ? [] : [{ rt, name }];
}
