/** Finds out what a path holds: one Wycheproof file, one envelope case, or a folder of either. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Case } from "./cases.ts";
import { parseEnvelopeCase } from "./envelope-case.ts";
import type { EnvelopeCase } from "./envelope-case.ts";
import { members } from "./json.ts";
import { UnreadableError } from "./unreadable.ts";
import { isWycheproof, wycheproofCases } from "./wycheproof.ts";

export type Suite =
  | { readonly kind: "crypto"; readonly name: string; readonly cases: readonly Case[] }
  | { readonly kind: "envelope"; readonly name: string; readonly cases: readonly EnvelopeCase[] };

/** A folder gives a suite for each Wycheproof file in it, and one for all its envelope cases.
 *  @throws UnreadableError */
export function readSuites(path: string): readonly Suite[] {
  const isFolder = readingFile(path, () => statSync(path)).isDirectory();
  const files = isFolder ? jsonFiles(path) : [path];
  const crypto: Suite[] = [];
  const envelopes: EnvelopeCase[] = [];
  for (const file of files) {
    readingFile(file, () => {
      const value: unknown = JSON.parse(readFileSync(file, "utf8"));
      if (isWycheproof(value))
        crypto.push({ kind: "crypto", name: file, cases: wycheproofCases(members(value, "it")) });
      else envelopes.push(parseEnvelopeCase(basename(file, ".json"), value));
    });
  }
  if (crypto.length > 0 && envelopes.length === 0) return crypto;
  return [...crypto, { kind: "envelope", name: path, cases: envelopes }];
}

function jsonFiles(folder: string): readonly string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => join(folder, name));
}

function readingFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableError(`cannot read ${file}: ${reason}`, { cause });
  }
}
