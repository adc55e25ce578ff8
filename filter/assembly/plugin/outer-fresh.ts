// Fresh statements beside `sets`, by namespace. In Kubernetes a list in an object has one owner as a whole; here an online
// signer owns a field that is its own. Nothing in them is believed.
//
//   "fresh":{"<namespace>":"…"}
import { View } from "../bytes/view";
import { Claim, readClaims } from "../envelope/claims";
import { isLabel } from "../envelope/dns";
import { readEnvelope } from "../envelope/envelope";
import { Use } from "../envelope/use";
import { FRESH_ENTRIES_MAX_COUNT } from "../gen/limits";
import { parseU64 } from "../wire/decimal";
import { Json, JsonKind } from "../wire/json";

@final
export class OuterFresh {
  private constructor(
    private readonly namespaces: View[],
    private readonly texts: View[],
  ) {}

  static none(): OuterFresh {
    return new OuterFresh([], []);
  }

  /** Null when it is malformed. */
  static read(json: Json): OuterFresh | null {
    if (json.kind != JsonKind.Object || json.size > FRESH_ENTRIES_MAX_COUNT) return null;
    const texts: View[] = [];
    for (let i = 0; i < json.size; i++) {
      if (!isLabel(json.keys[i]) || json.items[i].kind != JsonKind.String) return null;
      texts.push(json.items[i].text);
    }
    return new OuterFresh(json.keys, texts);
  }

  /** The fresh statement that counts for a namespace whose part in `sets` has `own`, or has none. */
  choose(ns: View, own: View | null): View | null {
    for (let i = 0; i < this.namespaces.length; i++) {
      if (this.namespaces[i].equals(ns)) return own == null ? this.texts[i] : counting(own, this.texts[i]);
    }
    return own;
  }
}

/** The one with the larger `ver`, `own` when they are equal. One that cannot be read so far counts: that it is refused must
 *  not depend on the other. */
function counting(own: View, outer: View): View {
  const ownVer = verOf(own);
  if (ownVer == null) return own;
  const outerVer = verOf(outer);
  return outerVer == null || parseU64(outerVer) > parseU64(ownVer) ? outer : own;
}

/** Steps 1 to 4 of docs/envelope.md section 6. */
function verOf(text: View): View | null {
  const envelope = readEnvelope(text, Use.Fresh).envelope;
  if (envelope == null) return null;
  const claims = readClaims(envelope.sender().claims, Use.Fresh).claims;
  return claims == null ? null : claims.text(Claim.Ver);
}
