/**
 * Fresh statements beside `sets` in a plugin configuration, by namespace. Server-side apply knows one owner of a list as a
 * whole; here an online signer owns a field that is its own (docs/envelope.md section 8.2).
 */
import { compareU64 } from "../bytes/decimal.ts";
import { parseClaims } from "../envelope/claims.ts";
import { parseRoot } from "../envelope/documents.ts";
import { decodeInput, parseEnvelope } from "../envelope/envelope.ts";
import { ParseError, VerifyError } from "../errors.ts";

/** What a signer applies to the object that carries a namespace's statements, below its `spec`. */
export interface FreshPatch {
  readonly pluginConfig: { readonly fresh: Readonly<Record<string, string>> };
}

/** @param fresh - by namespace */
export function freshPatch(fresh: Readonly<Record<string, string>>): FreshPatch {
  return { pluginConfig: { fresh } };
}

/**
 * Which of those beside `sets` is for a member of it.
 * @param roots - of that member: the payload of the last one names the namespace; nobody has verified it
 */
export function outerFreshFor(roots: readonly string[], outer: ReadonlyMap<string, string>): string | undefined {
  return outer.size === 0 ? undefined : outer.get(claimedNamespace(roots) ?? "");
}

/**
 * The one with the larger `ver`, `own` when they are equal, `outer` where there is no other. One that cannot be read so far
 * counts, so that it is refused whatever the other is.
 */
export function countingFresh(own: string | undefined, outer: string): string {
  if (own === undefined) return outer;
  const ownVer = versionOf(own);
  if (ownVer === undefined) return own;
  const outerVer = versionOf(outer);
  return outerVer === undefined || compareU64(outerVer, ownVer) > 0 ? outer : own;
}

/** As the last root's payload says; undefined where that is none. Nobody has verified it. */
export function claimedNamespace(roots: readonly string[]): string | undefined {
  return unlessRefused(() => parseRoot(parseEnvelope(decodeInput(roots.at(-1) ?? "", "root"), "root").data).ns);
}

/** Steps 1 to 4 of docs/envelope.md section 6. */
function versionOf(text: string): string | undefined {
  return unlessRefused(() => parseClaims(parseEnvelope(decodeInput(text, "fresh"), "fresh").sender.data, "fresh").ver);
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof VerifyError || error instanceof ParseError) return undefined;
    throw error;
  }
}
