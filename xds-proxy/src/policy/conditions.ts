/** What one condition of a policy says about one request. */
import { isInBlock, parseSocketAddress } from "./address.ts";
import { isLine, octets } from "./octets.ts";
import { peerTest, type PeerContext } from "./peer-match.ts";
import { lowerCase, pathTest, present, textTest, type TextTest } from "./text-match.ts";
import type { Condition, PolicyRequest } from "./types.ts";

export function holds(condition: Condition, request: PolicyRequest, context: PeerContext): boolean {
  const matches = (value: string): boolean => valueMatches(condition, value, request, context);
  const { values, notValues } = condition;
  return (values.length === 0 || values.some(matches)) && !notValues.some(matches);
}

function valueMatches(condition: Condition, value: string, request: PolicyRequest, context: PeerContext): boolean {
  switch (condition.field) {
    case "requestPrincipal":
      return requestPrincipalMatches(value, request);
    case "remoteIp":
      return addressMatches(value, request.remoteAddress);
    case "destinationIp":
      return addressMatches(value, request.destinationAddress);
    case "port":
      return parseSocketAddress(request.destinationAddress ?? "")?.port === Number(value);
    case "host":
      return matchesText(textTest(lowerCase(value), present), request.host && lowerCase(request.host));
    case "method":
      return matchesText(textTest(value, present), request.method);
    case "sni":
      return matchesText(textTest(value, isLine), request.sni);
    case "path":
      return matchesText(pathTest(value), pathWithoutQuery(request));
    case "header":
      return headerValues(condition.names[0] ?? "", request).some(textTest(value, present));
    case "audience":
      return claimMatches(["aud"], value, request);
    case "presenter":
      return claimMatches(["azp"], value, request);
    case "claim":
      return claimMatches(condition.names, value, request);
    default:
      return peerMatches(peerTest(condition.field, value, context), request);
  }
}

export function pathWithoutQuery({ path }: PolicyRequest): string | undefined {
  return path?.replace(/[?#].*$/s, "");
}

function matchesText(test: TextTest, text: string | undefined): boolean {
  return text !== undefined && test(text);
}

/** Envoy looks at the URI names, then the DNS names, then the subject of the certificate. */
function peerMatches(test: TextTest | undefined, { peerUri, peerDns, peerSubject }: PolicyRequest): boolean {
  return test !== undefined && [peerUri, peerDns, peerSubject].some((name) => matchesText(test, name));
}

function addressMatches(block: string, address: string | undefined): boolean {
  const parsed = parseSocketAddress(address ?? "");
  return parsed !== undefined && isInBlock(parsed.ip, block);
}

/** Every value by itself. Envoy knows `host` under the name `:authority` only. */
function headerValues(name: string, request: PolicyRequest): readonly string[] {
  const lower = name.toLowerCase();
  const wanted = lower === "host" ? ":authority" : lower;
  const pseudo = { ":authority": request.host, ":method": request.method, ":path": request.path };
  const sent = (request.headers ?? []).flatMap(([key, value]) => (key === wanted ? [value] : []));
  const own = Object.entries(pseudo).flatMap(([key, value]) => (key === wanted && value !== undefined ? [value] : []));
  return [...own, ...sent];
}

/** `issuer/subject`, cut at the last slash; a `*` at one end belongs to the part that it touches. */
function requestPrincipalMatches(value: string, request: PolicyRequest): boolean {
  const { iss, sub } = request.claims ?? {};
  if (typeof iss !== "string" || typeof sub !== "string") return false;
  const [issuer, subject] = requestPrincipalTests(value);
  return issuer(octets(iss)) && subject(octets(sub));
}

function requestPrincipalTests(value: string): readonly [TextTest, TextTest] {
  const cut = value.lastIndexOf("/");
  const exact = (text: string): TextTest => {
    const wanted = octets(text);
    return (given) => given === wanted;
  };
  if (value.startsWith("*")) {
    if (cut < 0) return [isLine, textTest(value, isLine)];
    return [textTest(value.slice(0, cut), isLine), exact(value.slice(cut + 1))];
  }
  if (value.endsWith("*")) {
    if (cut < 0) return [textTest(value, isLine), isLine];
    const beginning = octets(value.slice(cut + 1, -1));
    return [exact(value.slice(0, cut)), beginning === "" ? isLine : (text) => text.startsWith(beginning)];
  }
  return cut < 0 ? [exact(value), exact("")] : [exact(value.slice(0, cut)), exact(value.slice(cut + 1))];
}

/** A text, or an array with a matching text in it. */
function claimMatches(names: readonly string[], value: string, request: PolicyRequest): boolean {
  let claim: unknown = request.claims;
  for (const name of names) claim = isRecord(claim) && Object.hasOwn(claim, name) ? claim[name] : undefined;
  const test = textTest(value, isLine);
  const items: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return items.some((item) => typeof item === "string" && test(octets(item)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
