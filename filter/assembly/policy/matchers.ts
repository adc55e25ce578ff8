// The questions that compiled rules ask of a request. None of them fails; a missing attribute matches nothing.
import { View } from "../bytes/view";
import { Address, Cidr } from "./ip";
import { anyMatches, Pattern } from "./pattern";
import { PeerPattern } from "./peer";
import { Template } from "./template";
import { Attribute, Claim, RequestAttributes } from "./types";

export abstract class Matcher {
  abstract matches(request: RequestAttributes): bool;
}

export class NotMatcher extends Matcher {
  constructor(private readonly inner: Matcher) {
    super();
  }

  matches(request: RequestAttributes): bool {
    return !this.inner.matches(request);
  }
}

export class TextMatcher extends Matcher {
  constructor(
    private readonly attribute: Attribute,
    private readonly patterns: Pattern[],
  ) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const text = request.text(this.attribute);
    return text !== null && anyMatches(this.patterns, text);
  }
}

export class HostMatcher extends Matcher {
  /** @param patterns in lower case */
  constructor(private readonly patterns: Pattern[]) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const host = request.lowerHost();
    return host !== null && anyMatches(this.patterns, host);
  }
}

export class PathMatcher extends Matcher {
  constructor(
    private readonly patterns: Pattern[],
    private readonly templates: Template[],
  ) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const path = request.urlPath();
    if (path === null) return false;
    if (anyMatches(this.patterns, path)) return true;
    for (let i = 0; i < this.templates.length; i++) if (this.templates[i].matches(path)) return true;
    return false;
  }
}

/** One of the values, each looked at by itself. */
export class HeaderMatcher extends Matcher {
  constructor(
    private readonly index: i32,
    private readonly name: View,
    private readonly patterns: Pattern[],
  ) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const values = request.header(this.index, this.name);
    for (let i = 0; i < values.length; i++) if (anyMatches(this.patterns, values[i])) return true;
    return false;
  }
}

/** Envoy looks at the URI names, then the DNS names, then the subject of the certificate. */
export class PeerMatcher extends Matcher {
  constructor(private readonly patterns: PeerPattern[]) {
    super();
  }

  matches(request: RequestAttributes): bool {
    return (
      this.matchesName(request.text(Attribute.PeerUri)) ||
      this.matchesName(request.text(Attribute.PeerDns)) ||
      this.matchesName(request.text(Attribute.PeerSubject))
    );
  }

  private matchesName(name: View | null): bool {
    if (name === null) return false;
    for (let i = 0; i < this.patterns.length; i++) if (this.patterns[i].matches(name)) return true;
    return false;
  }
}

export class RemoteIpMatcher extends Matcher {
  constructor(private readonly blocks: Cidr[]) {
    super();
  }

  matches(request: RequestAttributes): bool {
    return anyContains(this.blocks, request.remote().ip);
  }
}

export class DestinationIpMatcher extends Matcher {
  constructor(private readonly blocks: Cidr[]) {
    super();
  }

  matches(request: RequestAttributes): bool {
    return anyContains(this.blocks, request.destination().ip);
  }
}

function anyContains(blocks: Cidr[], address: Address | null): bool {
  if (address === null) return false;
  for (let i = 0; i < blocks.length; i++) if (blocks[i].contains(address)) return true;
  return false;
}

export class PortMatcher extends Matcher {
  constructor(private readonly ports: i32[]) {
    super();
  }

  matches(request: RequestAttributes): bool {
    return this.ports.includes(request.destination().port);
  }
}

/** A claim that is one of the texts, or an array with one of them in it. */
export class ClaimMatcher extends Matcher {
  constructor(
    private readonly index: i32,
    private readonly path: View[],
    private readonly patterns: Pattern[],
  ) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const claim = request.claim(this.index, this.path);
    if (claim === null) return false;
    for (let i = 0; i < claim.values.length; i++) if (anyMatches(this.patterns, claim.values[i])) return true;
    return false;
  }
}

/** `iss` and `sub`, each a single text, match one pair of patterns. */
export class RequestPrincipalMatcher extends Matcher {
  constructor(
    private readonly issuerIndex: i32,
    private readonly subjectIndex: i32,
    private readonly issuers: Pattern[],
    private readonly subjects: Pattern[],
  ) {
    super();
  }

  matches(request: RequestAttributes): bool {
    const issuer = single(request.claim(this.issuerIndex, [ISS]));
    const subject = single(request.claim(this.subjectIndex, [SUB]));
    if (issuer === null || subject === null) return false;
    for (let i = 0; i < this.issuers.length; i++) {
      if (this.issuers[i].matches(issuer) && this.subjects[i].matches(subject)) return true;
    }
    return false;
  }
}

function single(claim: Claim | null): View | null {
  return claim === null || claim.isArray || claim.values.length != 1 ? null : claim.values[0];
}

export const ISS = View.utf8("iss");
export const SUB = View.utf8("sub");
