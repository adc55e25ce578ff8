/** After a new root: what was published is signed again where that is possible, and the rest is said. */
import { VerifyError, ConfigError, UpstreamError } from "../errors.ts";
import type { CliContext } from "./context.ts";
import { Hinted, reportFailure } from "./failure.ts";
import { readBundle, type OwnerFolder } from "./owner-folder.ts";
import { changePublished, type Wanted } from "./publishing.ts";

/** @returns what is left to do */
export async function signAgain(context: CliContext, folder: OwnerFolder): Promise<readonly string[]> {
  if (readBundle(folder).set === undefined) return [];
  try {
    const nothing = (): Wanted => ({ put: [], remove: [] });
    await changePublished(context, folder, { renew: true, output: "text" }, nothing);
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
