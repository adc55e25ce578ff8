/** Of two fresh statements of one namespace the one with the larger version counts. Compares what they claim. */
import { compareU64 } from "../bytes/decimal.ts";
import { ParseError } from "../errors.ts";
import { describe } from "./describe.ts";

/** One that is no envelope loses. */
export function laterFresh(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareU64(versionOf(b), versionOf(a)) > 0 ? b : a;
}

function versionOf(text: string): string {
  try {
    return describe(text).claims.ver ?? "0";
  } catch (error) {
    if (error instanceof ParseError) return "0";
    throw error;
  }
}
