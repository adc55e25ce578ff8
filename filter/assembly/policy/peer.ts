// Patterns on the name in the peer's certificate (`spiffe://<trust domain>/ns/<namespace>/sa/<service account>`), as the
// matchers and regular expressions that istiod generates read it.
import { concat } from "../bytes/concat";
import { View } from "../bytes/view";
import { find, isLine } from "./pattern";
import { TrustDomains } from "./trust-domains";

const SCHEME = View.utf8("spiffe://");
const NAMESPACE = View.utf8("/ns/");
const ACCOUNT = View.utf8("sa/");
const SLASH_TEXT = View.utf8("/");
const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;

export abstract class PeerPattern {
  abstract matches(name: View): bool;
  /** The only name that matches, in its canonical form (`TrustDomains`); null when there are more. */
  exact(): View | null {
    return null;
  }
}

/** What matches a principal: one whose trust domain is meant to be the local one is matched in all of these domains. A pattern
 *  `*end` in its place stays as it is for those that it fits. */
export function principalPatterns(value: View, domains: TrustDomains): PeerPattern[] {
  const domain = TrustDomains.domainOf(value);
  if (domain === null || !domains.areMeant(domain)) return [principalPattern(value)];
  const others = domains.notEndingIn(domain);
  const tail = value.slice(domain.length, value.length);
  if (domain.length == 0 || domain.at(0) != STAR) return [localPattern(others, tail)];
  return others.length == 0 ? [principalPattern(value)] : [principalPattern(value), localPattern(others, tail)];
}

/** A principal as it is written. */
function principalPattern(value: View): PeerPattern {
  const last = value.length - 1;
  if (value.at(0) == STAR) return last == 0 ? new AnyName() : new SuffixName(value.slice(1, value.length));
  if (value.at(last) == STAR) return new PrefixName(concat([SCHEME, value.slice(0, last)]));
  return new ExactName(concat([SCHEME, value]));
}

/** @param tail of a principal, behind its trust domain */
function localPattern(domains: View[], tail: View): PeerPattern {
  const last = tail.length - 1;
  const isPrefix = tail.at(last) == STAR;
  return new LocalName(domains, isPrefix ? tail.slice(0, last) : tail, isPrefix);
}

/** In a namespace, `*` stands for any text wherever it is. */
export function namespacePattern(value: View): PeerPattern {
  const pieces: View[] = [];
  let start = 0;
  for (let star = value.indexOf(STAR); star >= 0; star = value.indexOf(STAR, start)) {
    pieces.push(value.slice(start, star));
    start = star + 1;
  }
  pieces.push(concat([value.slice(start, value.length), SLASH_TEXT]));
  pieces[0] = concat([NAMESPACE, pieces[0]]);
  return new NamespaceName(pieces);
}

/** @param ownNamespace the namespace of a service account that names none: the policy's */
export function serviceAccountPattern(value: View, ownNamespace: View): PeerPattern {
  const at = value.indexOf(SLASH);
  const namespace = at < 0 ? ownNamespace : value.slice(0, at);
  const account = at < 0 ? value : value.slice(at + 1, value.length);
  return new ServiceAccountName(concat([NAMESPACE, namespace, SLASH_TEXT]), concat([ACCOUNT, account]));
}

/** One of the local trust domains means all of them; a pattern means what it fits. */
export function trustDomainPattern(value: View, domains: TrustDomains): PeerPattern {
  if (domains.has(value)) return new LocalName(domains.names, SLASH_TEXT, true);
  const star = value.indexOf(STAR);
  if (star < 0) return new PrefixName(concat([SCHEME, value, SLASH_TEXT]));
  if (value.length == 1) return new PrefixName(SCHEME);
  return new TrustDomainName(value.slice(0, star), value.slice(star + 1, value.length));
}

class AnyName extends PeerPattern {
  matches(name: View): bool {
    return isLine(name);
  }
}

class ExactName extends PeerPattern {
  constructor(private readonly text: View) {
    super();
  }

  matches(name: View): bool {
    return name.equals(this.text);
  }

  exact(): View | null {
    return this.text;
  }
}

/** `spiffe://<one of the domains><tail>`; the domains are shared, so that many aliases take no memory in each pattern. */
class LocalName extends PeerPattern {
  constructor(
    private readonly domains: View[],
    private readonly tail: View,
    private readonly isPrefix: bool,
  ) {
    super();
  }

  matches(name: View): bool {
    if (!name.startsWith(SCHEME)) return false;
    for (let i = 0; i < this.domains.length; i++) if (this.matchesIn(name, this.domains[i])) return true;
    return false;
  }

  exact(): View | null {
    return this.isPrefix ? null : concat([SCHEME, this.domains[0], this.tail]);
  }

  private matchesIn(name: View, domain: View): bool {
    const end = SCHEME.length + domain.length;
    if (name.length < end || !name.slice(SCHEME.length, end).equals(domain)) return false;
    const tail = name.slice(end, name.length);
    return this.isPrefix ? tail.startsWith(this.tail) : tail.equals(this.tail);
  }
}

class PrefixName extends PeerPattern {
  constructor(private readonly prefix: View) {
    super();
  }

  matches(name: View): bool {
    return name.startsWith(this.prefix);
  }
}

/** `spiffe://.*<suffix>` */
class SuffixName extends PeerPattern {
  constructor(private readonly suffix: View) {
    super();
  }

  matches(name: View): bool {
    if (name.length < SCHEME.length + this.suffix.length) return false;
    return name.startsWith(SCHEME) && name.endsWith(this.suffix) && isLine(name);
  }
}

/** `.*<piece>.*<piece>.*` */
class NamespaceName extends PeerPattern {
  constructor(private readonly pieces: View[]) {
    super();
  }

  matches(name: View): bool {
    let position = 0;
    for (let i = 0; i < this.pieces.length; i++) {
      position = find(name, this.pieces[i], position);
      if (position < 0) return false;
      position += this.pieces[i].length;
    }
    return isLine(name);
  }
}

/** `spiffe://.+/ns/<namespace>/(.+/|)sa/<account>(/.+)?` */
class ServiceAccountName extends PeerPattern {
  constructor(
    private readonly namespace: View,
    private readonly account: View,
  ) {
    super();
  }

  matches(name: View): bool {
    if (!name.startsWith(SCHEME) || !isLine(name)) return false;
    const found = find(name, this.namespace, SCHEME.length + 1);
    if (found < 0) return false;
    const start = found + this.namespace.length;
    for (let at = find(name, this.account, start); at >= 0; at = find(name, this.account, at + 1)) {
      if (this.begins(name, start, at) && this.ends(name, at + this.account.length)) return true;
    }
    return false;
  }

  private begins(name: View, start: i32, at: i32): bool {
    return at == start || (at > start + 1 && name.at(at - 1) == SLASH);
  }

  private ends(name: View, end: i32): bool {
    return end == name.length || (end < name.length - 1 && name.at(end) == SLASH);
  }
}

/** `spiffe://<prefix>[^/]*<suffix>/.*` */
class TrustDomainName extends PeerPattern {
  constructor(
    private readonly prefix: View,
    private readonly suffix: View,
  ) {
    super();
  }

  matches(name: View): bool {
    if (!name.startsWith(SCHEME) || !isLine(name)) return false;
    const end = name.indexOf(SLASH, SCHEME.length);
    if (end < SCHEME.length + this.prefix.length + this.suffix.length) return false;
    const domain = name.slice(SCHEME.length, end);
    return domain.startsWith(this.prefix) && domain.endsWith(this.suffix);
  }
}
