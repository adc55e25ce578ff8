// The mesh's trust domain and its aliases: names for one and the same, of which a peer's certificate carries one.
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";

const SCHEME = View.utf8("spiffe://");
const CLUSTER_LOCAL = View.utf8("cluster.local");
const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;
/** In `domain/ns/namespace/sa/account`. */
const IDENTITY_SLASHES: i32 = 4;

@final
export class TrustDomains {
  /** Without wildcards; the local one first. */
  readonly names: View[];

  constructor(local: View, aliases: View[]) {
    this.names = [local].concat(aliases);
  }

  /** The domain in a principal, where it says one; null where it is `*`, or the principal is not of that form. */
  static domainOf(principal: View): View | null {
    if (slashCount(principal) != IDENTITY_SLASHES) return null;
    const domain = principal.slice(0, principal.indexOf(SLASH));
    return domain.length == 1 && domain.at(0) == STAR ? null : domain;
  }

  has(domain: View): bool {
    for (let i = 0; i < this.names.length; i++) if (this.names[i].equals(domain)) return true;
    return false;
  }

  /** Whether the domain in a principal stands for all of them: it is, or as a pattern fits, one, or is `cluster.local`. */
  areMeant(domain: View): bool {
    if (this.has(domain) || domain.equals(CLUSTER_LOCAL)) return true;
    if (this.notEndingIn(domain).length < this.names.length) return true;
    const last = domain.length - 1;
    if (last < 0 || domain.at(last) != STAR) return false;
    const beginning = domain.slice(0, last);
    for (let i = 0; i < this.names.length; i++) if (this.names[i].startsWith(beginning)) return true;
    return false;
  }

  /** Those that a pattern `*end` does not fit: all of them for a text that is no such pattern. */
  notEndingIn(pattern: View): View[] {
    if (pattern.length == 0 || pattern.at(0) != STAR) return this.names;
    const end = pattern.slice(1, pattern.length);
    const others: View[] = [];
    for (let i = 0; i < this.names.length; i++) if (!this.names[i].endsWith(end)) others.push(this.names[i]);
    return others;
  }

  /** The name in a certificate as one text for all of these domains: an alias in it becomes the local one. */
  canonical(name: View): View {
    if (this.names.length == 1 || !name.startsWith(SCHEME)) return name;
    const identity = name.slice(SCHEME.length, name.length);
    const domain = TrustDomains.domainOf(identity);
    if (domain === null || domain.equals(this.names[0]) || !this.has(domain)) return name;
    return concat([SCHEME, this.names[0], identity.slice(domain.length, identity.length)]);
  }
}

function slashCount(text: View): i32 {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (text.at(i) == SLASH) count++;
  return count;
}
