// From validated conditions to matchers, as istiod turns them into an RBAC configuration.
import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";
import { Cidr, parseCidr, parsePort } from "./ip";
import {
  ClaimMatcher,
  DestinationIpMatcher,
  HeaderMatcher,
  HostMatcher,
  ISS,
  Matcher,
  NotMatcher,
  PathMatcher,
  PeerMatcher,
  PortMatcher,
  RemoteIpMatcher,
  RequestPrincipalMatcher,
  SUB,
  TextMatcher,
} from "./matchers";
import { lowerCase, Pattern, PatternKind } from "./pattern";
import { namespacePattern, PeerPattern, principalPatterns, serviceAccountPattern, trustDomainPattern } from "./peer";
import { Condition, Field } from "./policy";
import { isTemplate, Template } from "./template";
import { TrustDomains } from "./trust-domains";
import { Attribute } from "./types";

const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;

@final
export class Compiler {
  attributes: u32 = 0;
  readonly headerNames: View[] = [];
  readonly claimPaths: View[][] = [];

  constructor(private readonly trustDomains: TrustDomains) {}

  /** @param namespace of the policy */
  conditions(conditions: Condition[], namespace: View): Matcher[] {
    const matchers: Matcher[] = [];
    for (let i = 0; i < conditions.length; i++) {
      const condition = conditions[i];
      if (condition.values.length > 0) matchers.push(this.matcher(condition, condition.values, namespace));
      if (condition.notValues.length > 0) {
        matchers.push(new NotMatcher(this.matcher(condition, condition.notValues, namespace)));
      }
    }
    return matchers;
  }

  private matcher(condition: Condition, values: View[], namespace: View): Matcher {
    switch (condition.field) {
      case Field.RequestPrincipal:
        return this.requestPrincipals(values);
      case Field.RemoteIp:
        this.needs(Attribute.RemoteAddress);
        return new RemoteIpMatcher(blocks(values));
      case Field.DestinationIp:
        this.needs(Attribute.DestinationAddress);
        return new DestinationIpMatcher(blocks(values));
      case Field.Port:
        this.needs(Attribute.DestinationAddress);
        return new PortMatcher(values.map<i32>((value) => parsePort(value)));
      case Field.Host:
        this.needs(Attribute.Host);
        return new HostMatcher(
          patterns(
            values.map<View>((value) => lowerCase(value)),
            PatternKind.Present,
          ),
        );
      case Field.Method:
        return this.text(Attribute.Method, values, PatternKind.Present);
      case Field.Sni:
        return this.text(Attribute.Sni, values, PatternKind.Line);
      case Field.Path:
        return this.paths(values);
      case Field.Header:
        return this.header(condition.names[0], values);
      case Field.Audience:
        return this.claim([View.utf8("aud")], values);
      case Field.Presenter:
        return this.claim([View.utf8("azp")], values);
      case Field.ClaimPath:
        return this.claim(condition.names, values);
      default:
        return this.peer(condition.field, values, namespace);
    }
  }

  private needs(attribute: Attribute): void {
    this.attributes |= (<u32>1) << attribute;
  }

  private text(attribute: Attribute, values: View[], star: PatternKind): Matcher {
    this.needs(attribute);
    return new TextMatcher(attribute, patterns(values, star));
  }

  private paths(values: View[]): Matcher {
    this.needs(Attribute.Path);
    const plain: View[] = [];
    const templates: Template[] = [];
    for (let i = 0; i < values.length; i++) {
      if (isTemplate(values[i])) templates.push(new Template(values[i]));
      else plain.push(values[i]);
    }
    return new PathMatcher(patterns(plain, PatternKind.Line), templates);
  }

  private peer(field: Field, values: View[], namespace: View): Matcher {
    this.needs(Attribute.PeerUri);
    this.needs(Attribute.PeerDns);
    this.needs(Attribute.PeerSubject);
    const names: PeerPattern[] = [];
    for (let i = 0; i < values.length; i++) {
      if (field == Field.Namespace) names.push(namespacePattern(values[i]));
      else if (field == Field.ServiceAccount) names.push(serviceAccountPattern(values[i], namespace));
      else if (field == Field.TrustDomain) names.push(trustDomainPattern(values[i], this.trustDomains));
      else pushAll(names, principalPatterns(values[i], this.trustDomains));
    }
    return new PeerMatcher(names);
  }

  /** Envoy knows `host` under the name `:authority` only. */
  private header(written: View, values: View[]): Matcher {
    const lower = lowerCase(written);
    const name = equalsAscii(lower, "host") ? View.utf8(":authority") : lower;
    let index = 0;
    while (index < this.headerNames.length && !this.headerNames[index].equals(name)) index++;
    if (index == this.headerNames.length) this.headerNames.push(name);
    return new HeaderMatcher(index, name, patterns(values, PatternKind.Present));
  }

  private claim(path: View[], values: View[]): Matcher {
    return new ClaimMatcher(this.claimIndex(path), path, patterns(values, PatternKind.Line));
  }

  /** `issuer/subject`, cut at the last slash; a `*` at one end belongs to the part that it touches. */
  private requestPrincipals(values: View[]): Matcher {
    const issuers: Pattern[] = [];
    const subjects: Pattern[] = [];
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      const any = new Pattern(PatternKind.Line, View.empty());
      const cut = lastIndexOf(value, SLASH);
      const starts = value.at(0) == STAR;
      const ends = value.at(value.length - 1) == STAR;
      if (cut < 0) {
        const isPlain = !starts && !ends;
        issuers.push(starts ? any : Pattern.of(value, PatternKind.Line));
        subjects.push(isPlain ? exact(View.empty()) : starts ? Pattern.of(value, PatternKind.Line) : any);
        continue;
      }
      const issuer = value.slice(0, cut);
      const subject = value.slice(cut + 1, value.length);
      issuers.push(starts ? Pattern.of(issuer, PatternKind.Line) : exact(issuer));
      subjects.push(ends && !starts ? beginning(subject) : exact(subject));
    }
    return new RequestPrincipalMatcher(this.claimIndex([ISS]), this.claimIndex([SUB]), issuers, subjects);
  }

  private claimIndex(path: View[]): i32 {
    for (let i = 0; i < this.claimPaths.length; i++) if (samePath(this.claimPaths[i], path)) return i;
    return this.claimPaths.push(path) - 1;
  }
}

function pushAll(names: PeerPattern[], more: PeerPattern[]): void {
  for (let i = 0; i < more.length; i++) names.push(more[i]);
}

function patterns(values: View[], star: PatternKind): Pattern[] {
  const patterns: Pattern[] = [];
  for (let i = 0; i < values.length; i++) patterns.push(Pattern.of(values[i], star));
  return patterns;
}

/** Of a text that ends in `*`. */
function beginning(text: View): Pattern {
  const kind = text.length == 1 ? PatternKind.Line : PatternKind.Prefix;
  return new Pattern(kind, text.slice(0, text.length - 1));
}

function exact(text: View): Pattern {
  return new Pattern(PatternKind.Exact, text);
}

function blocks(values: View[]): Cidr[] {
  const blocks: Cidr[] = [];
  for (let i = 0; i < values.length; i++) {
    const block = parseCidr(values[i]);
    if (block !== null) blocks.push(block);
  }
  return blocks;
}

function samePath(left: View[], right: View[]): bool {
  if (left.length != right.length) return false;
  for (let i = 0; i < left.length; i++) if (!left[i].equals(right[i])) return false;
  return true;
}

function lastIndexOf(text: View, byte: u8): i32 {
  for (let i = text.length - 1; i >= 0; i--) if (text.at(i) == byte) return i;
  return -1;
}
