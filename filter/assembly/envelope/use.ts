/** The uses of a statement (docs/envelope.md section 3) and what depends on them alone. */
import { View } from "../bytes/view";
import {
  CFG_TTL_MAX_SEC,
  DATA_MAX_BYTES,
  ENVELOPE_OVERHEAD_MAX_BYTES,
  PUSH_DATA_MAX_BYTES,
  PUSH_TTL_MAX_SEC,
} from "../gen/limits";
import { equalsAscii } from "../wire/ascii";

export enum Use {
  None = 0,
  Root = 1,
  Cfg = 2,
  Set = 3,
  Fresh = 4,
  Push = 5,
  Msg = 6,
}

/** In the order of the enum. */
const NAMES: string[] = ["", "root", "cfg", "set", "fresh", "push", "msg"];

/** The use of that name, or None. */
export function parseUse(name: View): Use {
  for (let use = 1; use < NAMES.length; use++) if (equalsAscii(name, NAMES[use])) return use;
  return Use.None;
}

export function dataMaxBytes(use: Use): i32 {
  return use == Use.Push ? PUSH_DATA_MAX_BYTES : DATA_MAX_BYTES;
}

export function envelopeMaxBytes(use: Use): i32 {
  return dataMaxBytes(use) + ENVELOPE_OVERHEAD_MAX_BYTES;
}

/** Longest lifetime in seconds; that of a fresh is the root's. */
export function lifetimeMaxSec(use: Use, maxFreshSec: i64): i64 {
  if (use == Use.Fresh) return maxFreshSec;
  return use == Use.Push || use == Use.Msg ? PUSH_TTL_MAX_SEC : CFG_TTL_MAX_SEC;
}
