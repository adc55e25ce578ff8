/** What an owner may sign: each kind of object with the parser of its consumer, so that nothing is signed that it would refuse. */
import { GUARD_TYPE, parseGuard } from "../guard/parse.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { AuthorizationPolicy } from "../policy/types.ts";

export interface ContentFault {
  readonly code: "PAYLOAD" | "UNSUPPORTED";
  /** JSON path. */
  readonly where: string;
  readonly message: string;
}

export interface Content {
  /** Of an object that the filter consumes, without faults. */
  readonly policy?: AuthorizationPolicy;
  readonly faults: readonly ContentFault[];
}

/** What the proxy consumes, and the filter leaves aside. */
export function isGuard(rt: string): boolean {
  return rt === GUARD_TYPE;
}

/** @param rt - as it was signed, or will be. @param data - the payload. Never throws. */
export function readContent(rt: string, data: Uint8Array): Content {
  if (isGuard(rt)) return { faults: parseGuard(data).faults };
  const { policy, faults } = parsePolicy(data);
  return policy === undefined ? { faults } : { policy, faults: [] };
}
