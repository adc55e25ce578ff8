// Patterns on the name in the peer's certificate (`spiffe://<trust domain>/ns/<namespace>/sa/<service account>`), as the
// matchers and regular expressions that istiod generates read it.
import { View } from "../bytes/view";
import { find, isLine } from "./pattern";

const SCHEME = View.utf8("spiffe://");
const NAMESPACE = View.utf8("/ns/");
const ACCOUNT = View.utf8("sa/");
const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;

export abstract class PeerPattern {
  abstract matches(name: View): bool;
  /** The only name that matches; null when there are more. */
  exact(): View | null {
    return null;
  }
}

/** A principal, whose trust domain is already the local one where istiod replaces it. */
export function principalPattern(value: View): PeerPattern {
  const last = value.length - 1;
  if (value.at(0) == STAR) return last == 0 ? new AnyName() : new SuffixName(value.slice(1, value.length));
  if (value.at(last) == STAR) return new PrefixName(concat(SCHEME, value.slice(0, last)));
  return new ExactName(concat(SCHEME, value));
}

/** In a namespace, `*` stands for any text wherever it is. */
export function namespacePattern(value: View): PeerPattern {
  const pieces: View[] = [];
  let start = 0;
  for (let star = value.indexOf(STAR); star >= 0; star = value.indexOf(STAR, start)) {
    pieces.push(value.slice(start, star));
    start = star + 1;
  }
  pieces.push(concat(value.slice(start, value.length), slash()));
  pieces[0] = concat(NAMESPACE, pieces[0]);
  return new NamespaceName(pieces);
}

/** @param ownNamespace the namespace of a service account that names none: the policy's */
export function serviceAccountPattern(value: View, ownNamespace: View): PeerPattern {
  const at = value.indexOf(SLASH);
  const namespace = at < 0 ? ownNamespace : value.slice(0, at);
  const account = at < 0 ? value : value.slice(at + 1, value.length);
  return new ServiceAccountName(concat(concat(NAMESPACE, namespace), slash()), concat(ACCOUNT, account));
}

export function trustDomainPattern(value: View): PeerPattern {
  const star = value.indexOf(STAR);
  if (star < 0) return new PrefixName(concat(concat(SCHEME, value), slash()));
  if (value.length == 1) return new PrefixName(SCHEME);
  return new TrustDomainName(value.slice(0, star), value.slice(star + 1, value.length));
}

/** A principal as it is to be matched: `cluster.local`, and whatever stands for the local trust domain, becomes that one. */
export function migratePrincipal(principal: View, local: View): View {
  const end = principal.indexOf(SLASH);
  if (slashCount(principal) != 4) return principal;
  const domain = principal.slice(0, end);
  if (domain.length == 1 && domain.at(0) == STAR) return principal;
  const isSuffix = domain.length > 0 && domain.at(0) == STAR;
  if (isSuffix && local.endsWith(domain.slice(1, end))) return principal;
  const isPrefix = end > 0 && domain.at(end - 1) == STAR && local.startsWith(domain.slice(0, end - 1));
  const isLocal = isPrefix || domain.equals(local) || domain.equals(View.utf8("cluster.local"));
  return isLocal ? concat(local, principal.slice(end, principal.length)) : principal;
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

function slashCount(text: View): i32 {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (text.at(i) == SLASH) count++;
  return count;
}

function slash(): View {
  return View.utf8("/");
}

function concat(left: View, right: View): View {
  const joined = new Uint8Array(left.length + right.length);
  for (let i = 0; i < left.length; i++) joined[i] = left.at(i);
  for (let i = 0; i < right.length; i++) joined[left.length + i] = right.at(i);
  return View.of(joined);
}
