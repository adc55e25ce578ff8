/** The pin: the trust root, which lies where no carrier of configuration can write. */
import { View } from "../bytes/view";
import { TRUST_DOMAIN_ALIASES_MAX_COUNT } from "../gen/limits";
import { Json, JsonKind, parseJson } from "../wire/json";
import { parseDigest } from "./digest";
import { isDnsName, isLabel } from "./dns";
import { hasExactly, objectMember, textMember } from "./members";

@final
export class Pin {
  /** Other names of the trust domain. */
  trustDomainAliases: View[] = [];
  private readonly namespaces: View[] = [];
  private readonly digests: View[] = [];

  constructor(
    readonly mesh: View,
    readonly trustDomain: View,
    readonly rootNamespace: View,
    readonly role: View,
  ) {}

  /** SHA-256 of the `data` of some root of this namespace, 32 bytes; null when the namespace is not pinned. */
  rootDigest(ns: View): View | null {
    for (let i = 0; i < this.namespaces.length; i++) if (this.namespaces[i].equals(ns)) return this.digests[i];
    return null;
  }

  /** Takes 1 to TRUST_DOMAIN_ALIASES_MAX_COUNT names, all different; false when `names` is something else. */
  setAliases(names: Json): bool {
    const count = names.items.length;
    if (names.kind != JsonKind.Array || count == 0 || count > TRUST_DOMAIN_ALIASES_MAX_COUNT) return false;
    for (let i = 0; i < count; i++) if (!this.addAlias(names.items[i])) return false;
    return true;
  }

  /** Adds the members of `{"<ns>":b64u-digest,…}`; false when one is not of that form. */
  addRoots(roots: Json): bool {
    for (let i = 0; i < roots.keys.length; i++) {
      const text = roots.items[i];
      const digest = text.kind == JsonKind.String ? parseDigest(text.text) : null;
      if (digest == null || !isLabel(roots.keys[i])) return false;
      this.namespaces.push(roots.keys[i]);
      this.digests.push(digest);
    }
    return true;
  }

  private addAlias(name: Json): bool {
    if (name.kind != JsonKind.String || !isDnsName(name.text) || name.text.equals(this.trustDomain)) return false;
    for (let i = 0; i < this.trustDomainAliases.length; i++) {
      if (this.trustDomainAliases[i].equals(name.text)) return false;
    }
    this.trustDomainAliases.push(name.text);
    return true;
  }
}

/** `{"role":"policy"|"ads","mesh":…,"trustDomain":…,"trustDomainAliases":[…],"rootNamespace":…,"roots":{"<ns>":b64u-digest}}`,
 *  exactly these members, of which `trustDomainAliases` may be missing; `rootNamespace` may be empty. Null when it is anything
 *  else. */
export function parsePin(text: View): Pin | null {
  const json = parseJson(text, false);
  if (json == null) return null;
  const members = ["role", "mesh", "trustDomain", "rootNamespace", "roots"];
  const aliases = json.get("trustDomainAliases");
  if (aliases != null) members.push("trustDomainAliases");
  if (!hasExactly(json, members)) return null;
  const role = json.get("role");
  const mesh = textMember(json, "mesh");
  const trustDomain = textMember(json, "trustDomain");
  const rootNamespace = textMember(json, "rootNamespace");
  const roots = objectMember(json, "roots");
  if (role == null || mesh == null || trustDomain == null || rootNamespace == null || roots == null) return null;
  if (!role.textIs("policy") && !role.textIs("ads")) return null;
  if (!isLabel(mesh) || !isDnsName(trustDomain)) return null;
  if (rootNamespace.length > 0 && !isLabel(rootNamespace)) return null;
  const pin = new Pin(mesh, trustDomain, rootNamespace, role.text);
  if (aliases != null && !pin.setAliases(aliases)) return null;
  return pin.addRoots(roots) ? pin : null;
}
