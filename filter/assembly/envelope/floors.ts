/** What the state forbids (docs/envelope.md section 8, step 8). */
import { View } from "../bytes/view";
import { Code } from "../gen/codes";
import { encodeBase64UrlBytes } from "../wire/base64url";
import { RootChain } from "./root";
import { RootDocument } from "./root-document";
import { TrustState } from "./trust-state";

/** ROLLBACK, EQUIVOCATION: whether `next` may follow `state`. */
export function checkFloors(next: TrustState, state: TrustState, chain: RootChain): Code {
  if (next.ep < state.ep || next.minEp < state.minEp) return Code.ROLLBACK;
  const versionsCount = next.minEp == state.minEp;
  if (versionsCount && (next.setVer < state.setVer || next.freshVer < state.freshVer)) return Code.ROLLBACK;
  if (isOtherRoot(chain, state)) return Code.EQUIVOCATION;
  if (!versionsCount) return Code.OK;
  const isOtherSet = next.setVer == state.setVer && !next.setCd.equals(state.setCd);
  const isOtherFresh = next.freshVer == state.freshVer && !next.freshCd.equals(state.freshCd);
  return isOtherSet || isOtherFresh ? Code.EQUIVOCATION : Code.OK;
}

/** b64u-digest of a root's `data`. */
export function rootCd(root: RootDocument): View {
  return encodeBase64UrlBytes(root.digest);
}

/** Whether the chain has another root in the place of the one that the state knows. Epochs in a chain are consecutive. */
function isOtherRoot(chain: RootChain, state: TrustState): bool {
  const index = state.ep - chain.roots[0].ep;
  return index >= 0 && !rootCd(chain.roots[<i32>index]).equals(state.rootCd);
}
