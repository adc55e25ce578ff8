/** What a consumer remembers of a namespace (docs/envelope.md section 8): floors that no older statement passes. */
import { View } from "../bytes/view";
import { isU64, parseU64 } from "../wire/decimal";
import { Json, parseJson } from "../wire/json";
import { parseDigest } from "./digest";
import { countMember, hasExactly, textMember } from "./members";

/** Digests are kept as texts of 43 characters. */
@final
export class TrustState {
  ep: i64 = 0;
  minEp: i64 = 0;
  rootCd: View = View.empty();
  setVer: u64 = 0;
  setCd: View = View.empty();
  freshVer: u64 = 0;
  freshCd: View = View.empty();
  iatMax: i64 = 0;

  toJson(): string {
    return (
      `{"ep":${this.ep},"minEp":${this.minEp},"rootCd":"${this.rootCd.toString()}",` +
      `"setVer":"${this.setVer}","setCd":"${this.setCd.toString()}",` +
      `"freshVer":"${this.freshVer}","freshCd":"${this.freshCd.toString()}","iatMax":${this.iatMax}}`
    );
  }
}

/** The state that `toJson` wrote; null when it is anything else. */
export function parseTrustState(text: View): TrustState | null {
  const json = parseJson(text, false);
  return json == null ? null : readTrustState(json);
}

export function readTrustState(json: Json): TrustState | null {
  if (!hasExactly(json, ["ep", "minEp", "rootCd", "setVer", "setCd", "freshVer", "freshCd", "iatMax"])) return null;
  const rootCd = textMember(json, "rootCd");
  const setVer = textMember(json, "setVer");
  const setCd = textMember(json, "setCd");
  const freshVer = textMember(json, "freshVer");
  const freshCd = textMember(json, "freshCd");
  if (rootCd == null || setVer == null || setCd == null || freshVer == null || freshCd == null) return null;
  if (parseDigest(rootCd) == null || parseDigest(setCd) == null || parseDigest(freshCd) == null) return null;
  if (!isU64(setVer) || !isU64(freshVer)) return null;
  const state = new TrustState();
  state.ep = countMember(json, "ep");
  state.minEp = countMember(json, "minEp");
  state.iatMax = countMember(json, "iatMax");
  state.rootCd = rootCd;
  state.setVer = parseU64(setVer);
  state.setCd = setCd;
  state.freshVer = parseU64(freshVer);
  state.freshCd = freshCd;
  return state.ep >= 0 && state.minEp >= 0 && state.iatMax >= 0 ? state : null;
}
