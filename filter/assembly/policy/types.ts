// What the policy engine is asked and what it answers. Values are bytes; nothing here knows where they come from.
import { View } from "../bytes/view";
import { SocketAddress } from "./ip";
import { lowerCase } from "./pattern";
import { TrustDomains } from "./trust-domains";

/** Attributes with one value. The numbers index `RequestAttributes`; `1 << attribute` is its bit in `PolicySet.attributes`. */
export enum Attribute {
  /** `:path` as Envoy hands it on, with its query. */
  Path = 0,
  Method = 1,
  /** `:authority`, with its port if it has one. */
  Host = 2,
  /** `ip:port` or `[ip]:port` after X-Forwarded-For; a text without port will do too. */
  RemoteAddress = 3,
  /** The address and port that the request came in on, in the same form. */
  DestinationAddress = 4,
  /** First URI name of the peer's verified certificate: its SPIFFE id. */
  PeerUri = 5,
  /** First DNS name of the peer's verified certificate. */
  PeerDns = 6,
  /** Subject of the peer's verified certificate, as Envoy prints it. */
  PeerSubject = 7,
  /** Server name that the TLS client asked for. */
  Sni = 8,
}

export const ATTRIBUTE_COUNT: i32 = 9;

/** A claim of the verified JWT: one string, or the strings of an array (its other members match nothing). */
export class Claim {
  constructor(
    readonly isArray: bool,
    readonly values: View[],
  ) {}
}

/** Bits of `RequestAttributes.known` beyond those of the attributes: what is derived from them. */
const URL_PATH: u32 = 1 << 16;
const LOWER_HOST: u32 = 1 << 17;
const REMOTE: u32 = 1 << 18;
const DESTINATION: u32 = 1 << 19;

const NOWHERE = new SocketAddress(View.empty());

/** One request, read at most once per attribute and only what a loaded rule asks for. An object may serve one request
 *  after the other, with `reset` in between: nothing is allocated for what nobody asks for. */
export abstract class RequestAttributes {
  private readonly texts: StaticArray<View | null> = new StaticArray<View | null>(ATTRIBUTE_COUNT);
  private known: u32 = 0;
  private headers: Array<View[] | null> = [];
  private claims: Array<KnownClaim | null> = [];
  private path: View | null = null;
  private host: View | null = null;
  private remoteAddress: SocketAddress = NOWHERE;
  private destinationAddress: SocketAddress = NOWHERE;

  /** The attribute's bytes, or null where the request has none (no TLS, no `:path`, …). */
  protected abstract readText(attribute: Attribute): View | null;

  /** Every value of a header in order of arrival, one for each time it was sent; empty without the header.
   *  @param name lower case; a pseudo-header such as `:path` is possible */
  protected abstract readHeader(name: View): View[];

  /** The claim at `path` (one member name a level) of the payload that the JWT filter verified; null when there is none
   *  or it is neither a string nor an array. */
  protected abstract readClaim(path: View[]): Claim | null;

  /** Forgets the request. */
  reset(): void {
    this.known = 0;
    if (this.headers.length > 0) this.headers = [];
    if (this.claims.length > 0) this.claims = [];
  }

  text(attribute: Attribute): View | null {
    if (this.learn((<u32>1) << attribute)) this.texts[attribute] = this.readText(attribute);
    return this.texts[attribute];
  }

  /** The path without query and fragment. */
  urlPath(): View | null {
    if (this.learn(URL_PATH)) {
      const path = this.text(Attribute.Path);
      this.path = path === null ? null : withoutQuery(path);
    }
    return this.path;
  }

  /** The host in lower case, with its port if it has one. */
  lowerHost(): View | null {
    if (this.learn(LOWER_HOST)) {
      const host = this.text(Attribute.Host);
      this.host = host === null ? null : lowerCase(host);
    }
    return this.host;
  }

  remote(): SocketAddress {
    if (this.learn(REMOTE)) this.remoteAddress = socketAddress(this.text(Attribute.RemoteAddress));
    return this.remoteAddress;
  }

  destination(): SocketAddress {
    if (this.learn(DESTINATION)) this.destinationAddress = socketAddress(this.text(Attribute.DestinationAddress));
    return this.destinationAddress;
  }

  /** @param index position in `PolicySet.headerNames` */
  header(index: i32, name: View): View[] {
    while (this.headers.length <= index) this.headers.push(null);
    const known = this.headers[index];
    if (known !== null) return known;
    const values = this.readHeader(name);
    this.headers[index] = values;
    return values;
  }

  /** @param index position in `PolicySet.claimPaths` */
  claim(index: i32, path: View[]): Claim | null {
    while (this.claims.length <= index) this.claims.push(null);
    let known = this.claims[index];
    if (known === null) {
      known = new KnownClaim(this.readClaim(path));
      this.claims[index] = known;
    }
    return known.claim;
  }

  /** Whether `bit` was not known; from now on it is. */
  private learn(bit: u32): bool {
    if ((this.known & bit) != 0) return false;
    this.known |= bit;
    return true;
  }
}

@final
class KnownClaim {
  constructor(readonly claim: Claim | null) {}
}

function withoutQuery(path: View): View {
  for (let i = 0; i < path.length; i++) if (path.at(i) == 0x3f || path.at(i) == 0x23) return path.slice(0, i);
  return path;
}

function socketAddress(text: View | null): SocketAddress {
  return text === null ? NOWHERE : new SocketAddress(text);
}

/** The workload that the policies are compiled for: its own bootstrap says so, never a configuration. */
export class Node {
  constructor(
    readonly namespace: View,
    readonly rootNamespace: View,
    readonly trustDomains: TrustDomains,
    readonly labelNames: View[],
    readonly labelValues: View[],
  ) {}
}

/** Where the owner asks for more than Istio does. */
export class Knobs {
  constructor(
    /** Deny when no ALLOW policy selects the workload. */
    readonly defaultDeny: bool,
    /** Refuse an ambiguous path with 400 when a rule in force looks at paths. */
    readonly strictPaths: bool,
  ) {}
}

export enum Reason {
  /** An ALLOW rule matched. */
  AllowRule = 0,
  /** No ALLOW policy applies to this workload: Istio lets the request pass. */
  NoPolicy = 1,
  /** A DENY rule matched. */
  DenyRule = 2,
  /** There are ALLOW policies and none of their rules matched. */
  NoRule = 3,
  /** No ALLOW policy applies to this workload, and the owner wants that to mean no. */
  DefaultDeny = 4,
  /** The path can be read in more than one way: 400 instead of 403. */
  AmbiguousPath = 5,
}

/** What the dry-run policies alone would have said. */
export enum Shadow {
  /** There are no dry-run policies. */
  None = 0,
  Allowed = 1,
  Denied = 2,
}

/** A refusal is a value. */
@final
export class Decision {
  audited: bool = false;
  shadow: Shadow = Shadow.None;
  shadowRule: string = "";
  /** UTF-8 of `rule`. */
  readonly ruleBytes: View;

  /** @param rule the deciding rule as Istio names it, `ns[team-a]-policy[name]-rule[0]`; empty where no rule decided */
  constructor(
    readonly reason: Reason,
    readonly rule: string,
  ) {
    this.ruleBytes = View.utf8(rule);
  }

  get allow(): bool {
    return this.reason <= Reason.NoPolicy;
  }

  /** Status of the local response when the request is not allowed. */
  get status(): i32 {
    return this.reason == Reason.AmbiguousPath ? 400 : 403;
  }
}
