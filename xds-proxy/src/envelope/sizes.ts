/** How long a statement may be: a push carries a whole response, everything else is one object. */
import type { BodyLimits } from "../crypto/content-encoding.ts";
import { BODY_LIMITS } from "../crypto/content-encoding.ts";
import { DATA_MAX_BYTES, PUSH_DATA_MAX_BYTES } from "../gen/limits.ts";
import type { Use } from "./types.ts";

const PUSH_BODY_LIMITS: BodyLimits = { recordSizeMaxBytes: PUSH_DATA_MAX_BYTES };

/** `data` as it travels. */
export function dataMaxBytesOf(use: Use): number {
  return use === "push" ? PUSH_DATA_MAX_BYTES : DATA_MAX_BYTES;
}

/** Of `data` that is encrypted, which is one record whatever its size. */
export function bodyLimitsOf(use: Use): BodyLimits {
  return use === "push" ? PUSH_BODY_LIMITS : BODY_LIMITS;
}
