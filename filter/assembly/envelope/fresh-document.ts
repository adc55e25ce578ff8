/** The payload of a fresh (docs/envelope.md section 5): which set is the current one. */
import { View } from "../bytes/view";
import { isU64 } from "../wire/decimal";
import { parseJson } from "../wire/json";
import { parseDigest } from "./digest";
import { hasExactly, objectMember, textMember } from "./members";

@final
export class FreshDocument {
  constructor(
    /** Version of the set, u64 text. */
    readonly setVer: View,
    /** b64u-digest of the set's `data`. */
    readonly setCd: View,
  ) {}
}

/** The strict form of a fresh's `data`, or null. */
export function parseFresh(data: View): FreshDocument | null {
  const json = parseJson(data, false);
  if (json == null || !hasExactly(json, ["kind", "set"])) return null;
  const kind = json.get("kind");
  const set = objectMember(json, "set");
  if (kind == null || !kind.textIs("Fresh") || set == null || !hasExactly(set, ["ver", "cd"])) return null;
  const ver = textMember(set, "ver");
  const cd = textMember(set, "cd");
  if (ver == null || cd == null || !isU64(ver) || parseDigest(cd) == null) return null;
  return new FreshDocument(ver, cd);
}
