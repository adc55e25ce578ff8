/** After a new root: what was published is signed again where that is possible, and the rest is said. */
import { VerifyError, ConfigError, UpstreamError } from "../errors.ts";
import type { Published } from "../owner/published.ts";
import type { CliContext } from "./context.ts";
import { Hinted, reportFailure } from "./failure.ts";
import { readBundle, readOwnPublished, type OwnerFolder } from "./owner-folder.ts";
import { republish } from "./publishing.ts";

export interface SignAgainOptions {
  readonly folder: OwnerFolder;
  /** What was published, where the new root refuses it. */
  readonly revoked?: Published | undefined;
}

/** @returns what is left to do */
export async function signAgain(
  context: CliContext,
  { folder, revoked }: SignAgainOptions,
): Promise<readonly string[]> {
  const sealed = [...(revoked?.objects.values() ?? [])].some(({ data }) => data === undefined);
  if (sealed) return ["sign everything again: wpgate sign SOURCES --seal SOURCES (sealed objects need their sources)"];
  if (readBundle(folder).set === undefined) return [];
  try {
    await republish(context, {
      folder,
      options: { renew: true, output: "text" },
      read: () => revoked ?? readOwnPublished(folder),
      decide: () => ({ put: [], remove: [] }),
    });
    return [];
  } catch (error) {
    const expected = [Hinted, ConfigError, VerifyError, UpstreamError].some((type) => error instanceof type);
    if (!expected || context.signal.aborted) throw error;
    // The root stands; that its other keys are elsewhere is usual.
    reportFailure(error, context);
    return ["sign again what is published: wpgate set --renew"];
  }
}

export function reportLeft(context: CliContext, left: readonly string[]): void {
  const always = [
    "hand out bundle.json: wpgate wasmplugin",
    "pin the new root where consumers are built: wpgate filter pin --pin pin.json",
  ];
  for (const item of [...left, ...always]) context.stdout(`left: ${item}\n`);
}
