import { concat } from "../bytes/concat";
import { View } from "../bytes/view";
import { Pin } from "./pin";

/** The claim `aud` of a namespace's statements (docs/envelope.md section 3). */
export function audience(ns: View, pin: Pin): View {
  return concat([View.utf8("https://"), ns, View.utf8("."), pin.mesh, View.utf8("."), pin.trustDomain]);
}
