/** Trust states only rise: what a consumer has seen of a namespace is never unlearned (docs/envelope.md section 8, step 8). */
import { compareU64 } from "../bytes/decimal.ts";
import type { TrustState } from "../envelope/types.ts";

export interface Fall {
  readonly code: "ROLLBACK" | "EQUIVOCATION";
  readonly reason: string;
}

/** How `next` falls behind `known`; undefined when it does not. A higher `minEp` is the owner's word that versions start anew. */
export function fallOf(known: TrustState, next: TrustState): Fall | undefined {
  if (next.minEp < known.minEp) return rollback("minEp", next.minEp, known.minEp);
  if (next.ep < known.ep) return rollback("ep", next.ep, known.ep);
  if (next.ep === known.ep && next.rootCd !== known.rootCd) return equivocation("root", next.ep);
  if (next.minEp > known.minEp) return undefined;
  if (compareU64(next.setVer, known.setVer) < 0) return rollback("setVer", next.setVer, known.setVer);
  if (compareU64(next.freshVer, known.freshVer) < 0) return rollback("freshVer", next.freshVer, known.freshVer);
  if (next.setVer === known.setVer && next.setCd !== known.setCd) return equivocation("set", next.setVer);
  if (next.freshVer === known.freshVer && next.freshCd !== known.freshCd) return equivocation("fresh", next.freshVer);
  return next.iatMax < known.iatMax ? rollback("iatMax", next.iatMax, known.iatMax) : undefined;
}

function rollback(member: string, next: string | number, known: string | number): Fall {
  return { code: "ROLLBACK", reason: `${member} ${next} after ${known}` };
}

function equivocation(what: string, version: string | number): Fall {
  return { code: "EQUIVOCATION", reason: `another ${what} ${version}` };
}
