/** The payload of a cfg (docs/envelope.md section 5): one Kubernetes-shaped object that says of itself what the claims say
 *  of it. What its `spec` means is its consumer's business. */
import { View } from "../bytes/view";
import { Json, parseJson } from "../wire/json";
import { Claim, Claims } from "./claims";
import { hasExactly, objectMember, textMember } from "./members";

const SLASH: u8 = 0x2f;

/** The object, or null when it is not strict or not the one that the claims name. */
export function parseCfg(payload: View, claims: Claims): Json | null {
  const json = parseJson(payload, true);
  if (json == null || !hasExactly(json, ["apiVersion", "kind", "metadata", "spec"])) return null;
  const apiVersion = textMember(json, "apiVersion");
  const kind = textMember(json, "kind");
  const metadata = objectMember(json, "metadata");
  if (apiVersion == null || kind == null || metadata == null || objectMember(json, "spec") == null) return null;
  const namespace = textMember(metadata, "namespace");
  const name = textMember(metadata, "name");
  if (namespace == null || name == null || !namespace.equals(claims.text(Claim.Ns))) return null;
  const matches =
    isJoined(claims.text(Claim.Rt), apiVersion, kind) && isJoined(claims.text(Claim.Name), namespace, name);
  return matches ? json : null;
}

/** Whether `text` is `first`, a slash and `second`. */
function isJoined(text: View, first: View, second: View): bool {
  return (
    text.length == first.length + 1 + second.length &&
    text.startsWith(first) &&
    text.at(first.length) == SLASH &&
    text.endsWith(second)
  );
}
