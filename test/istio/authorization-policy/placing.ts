/** Puts a text where a field of a policy looks for it. */
import type { Condition } from "../../../xds-proxy/src/policy/types.ts";
import { addressesInside, addressesOutside } from "./blocks.ts";
import {
  FOREIGN_TRUST_DOMAIN,
  ISSUERS,
  NAMESPACE,
  ROOT_NAMESPACE,
  TRUST_DOMAIN,
  TRUST_DOMAIN_ALIASES,
  type Entrances,
} from "./place.ts";
import { account, METHODS, token, type Probe } from "./probe.ts";
import { matchingNamespaces, matchingPaths, matchingTexts, nearPaths, nearTexts } from "./texts.ts";

type Looked = Pick<Condition, "field" | "names">;
type Change = (probe: Probe) => Probe;

const SPIFFE = /^spiffe:\/\/([^/]*)\/ns\/([^/]*)\/sa\/(.*)$/;

/** What `value` matches and nearly matches, as changes of a request. */
export interface Changes {
  readonly hits: readonly Change[];
  readonly misses: readonly Change[];
}

export function changesFor({ field, names }: Looked, value: string, entrances: Entrances): Changes {
  const put = (texts: readonly string[]): readonly Change[] => texts.map((text) => place({ field, names }, text));
  switch (field) {
    case "principal":
      return { hits: put(principals(value)), misses: put([...nearPrincipals(value), ...nearTexts(value)]) };
    case "namespace":
      return { hits: put(matchingNamespaces(value)), misses: put(nearTexts(value.replaceAll("*", "a"))) };
    case "serviceAccount":
      return {
        hits: put(serviceAccounts(value)),
        misses: put([...nearTexts(value), `other/${value.replace(/.*\//, "")}`]),
      };
    case "requestPrincipal":
      return { hits: put(requestPrincipals(value)), misses: put(nearRequestPrincipals(value)) };
    case "remoteIp":
      return { hits: put(addressesInside(value)), misses: put(addressesOutside(value)) };
    case "destinationIp":
    case "port":
      return toEntrances({ field, value, entrances });
    case "method":
      return { hits: put(METHODS.filter((method) => matches(value, method))), misses: put(METHODS) };
    case "path":
      return { hits: put(matchingPaths(value)), misses: put(nearPaths(value)) };
    case "trustDomain":
    case "host":
    case "header":
    case "audience":
    case "presenter":
    case "claim":
    case "sni":
      return { hits: put(matchingTexts(value)), misses: put(nearTexts(value)) };
  }
}

/** A change after which no value that is likely in a `not…` list holds. */
export function away({ field, names }: Looked, notValues: readonly string[]): Change {
  if (!notValues.includes("*"))
    switch (field) {
      case "method":
        return (probe) => ({
          ...probe,
          method: METHODS.find((text) => !notValues.some((v) => matches(v, text))) ?? "GET",
        });
      case "remoteIp":
        return place({ field, names }, "203.0.113.77");
      case "path":
        return place({ field, names }, "/zz/z");
      case "requestPrincipal":
        return place({ field, names }, `${ISSUERS[0]}/zz`);
      case "destinationIp":
      case "port":
        return (probe) => probe;
      default:
        return place({ field, names }, "zz.z");
    }
  if (field === "header")
    return (probe) => ({ ...probe, headers: probe.headers.filter(([name]) => !same(name, names)) });
  if (field === "sni") return (probe) => ({ ...probe, sni: undefined });
  if (["requestPrincipal", "audience", "presenter", "claim"].includes(field))
    return (probe) => ({ ...probe, jwt: undefined });
  return (probe) => ({ ...probe, client: undefined });
}

function place({ field, names }: Looked, text: string): Change {
  const claim = (path: readonly string[], value: unknown): Change => {
    return (probe) => ({ ...probe, jwt: withClaim(probe.jwt ?? token(), path, value) });
  };
  switch (field) {
    case "principal":
      return (probe) => ({ ...probe, client: { uri: `spiffe://${text}` } });
    case "namespace":
      return peer(([domain, , name]) => `spiffe://${domain}/ns/${text}/sa/${name}`);
    case "serviceAccount": {
      const [namespace, name] = /^([^/]*)\/(.*)$/.exec(text)?.slice(1) ?? [NAMESPACE, text];
      return peer(([domain]) => `spiffe://${domain}/ns/${namespace ?? ""}/sa/${name ?? ""}`);
    }
    case "trustDomain":
      return peer(([, namespace, name]) => `spiffe://${text}/ns/${namespace}/sa/${name}`);
    case "requestPrincipal": {
      const cut = text.lastIndexOf("/");
      return (probe) => ({ ...probe, jwt: { ...probe.jwt, iss: text.slice(0, cut), sub: text.slice(cut + 1) } });
    }
    case "audience":
      return claim(["aud"], text);
    case "presenter":
      return claim(["azp"], text);
    case "claim":
      return claim(names, text);
    case "header":
      return (probe) => withHeader(probe, names[0] ?? "", text);
    case "remoteIp":
      return (probe) => ({ ...probe, headers: [...probe.headers, ["X-Forwarded-For", `192.0.2.200, ${text}`]] });
    case "sni":
      return (probe) => ({ ...probe, sni: text, client: probe.client ?? account("shop", "web") });
    case "host":
      return (probe) => ({ ...probe, host: text });
    case "path":
      return (probe) => ({ ...probe, path: text });
    case "method":
      return (probe) => ({ ...probe, method: text });
    case "destinationIp":
    case "port":
      return (probe) => probe;
  }
}

function peer(change: (parts: readonly [domain: string, namespace: string, name: string]) => string): Change {
  return (probe) => {
    const [, domain = TRUST_DOMAIN, namespace = "shop", name = "web"] = SPIFFE.exec(probe.client?.uri ?? "") ?? [];
    return { ...probe, client: { uri: change([domain, namespace, name]) } };
  };
}

function withHeader(probe: Probe, name: string, text: string): Probe {
  const value = Buffer.from(text, "utf8").toString("latin1");
  if (name === ":method") return { ...probe, method: text };
  if (name === ":path") return { ...probe, path: value };
  if (name === ":authority" || name.toLowerCase() === "host") return { ...probe, host: value };
  return { ...probe, headers: [...probe.headers.filter(([other]) => !same(other, [name])), [name, value]] };
}

function same(name: string, [other = ""]: readonly string[]): boolean {
  return name.toLowerCase() === other.toLowerCase();
}

function withClaim(
  payload: Readonly<Record<string, unknown>>,
  [name = "", ...inner]: readonly string[],
  value: unknown,
): Readonly<Record<string, unknown>> {
  const before = payload[name];
  const nested = typeof before === "object" && before !== null ? (before as Readonly<Record<string, unknown>>) : {};
  return { ...payload, [name]: inner.length === 0 ? value : withClaim(nested, inner, value) };
}

/** Without a namespace it is that of the policy, which may be either. */
function serviceAccounts(value: string): readonly string[] {
  return value.includes("/") ? [value, `${value}/x`] : [value, `${ROOT_NAMESPACE}/${value}`];
}

function principals(value: string): readonly string[] {
  const [domain = "", ...rest] = value.split("/");
  const domains = domain === "cluster.local" || domain === TRUST_DOMAIN ? [TRUST_DOMAIN, ...TRUST_DOMAIN_ALIASES] : [];
  const whole = matchingTexts(value).map((text) => (text.includes("/") ? text : `${TRUST_DOMAIN}/ns/a/sa/${text}`));
  return [...domains.map((name) => matchingTexts([name, ...rest].join("/"))[0] ?? ""), ...whole];
}

function nearPrincipals(value: string): readonly string[] {
  const [, ...rest] = (matchingTexts(value)[0] ?? "").split("/");
  return [FOREIGN_TRUST_DOMAIN, ...TRUST_DOMAIN_ALIASES, "cluster.local"].map((name) => [name, ...rest].join("/"));
}

/** Only tokens of known issuers reach the policies. */
function requestPrincipals(value: string): readonly string[] {
  const all = ISSUERS.flatMap((issuer) => ["alice", "bob", "carol", ""].map((subject) => `${issuer}/${subject}`));
  return [...matchingTexts(value), ...all.filter((text) => matches(value, text))].filter(isIssued);
}

function nearRequestPrincipals(value: string): readonly string[] {
  return [...nearTexts(matchingTexts(value)[0] ?? ""), ...ISSUERS.map((issuer) => `${issuer}/alice`)].filter(isIssued);
}

function isIssued(text: string): boolean {
  return ISSUERS.some((issuer) => text.slice(0, text.lastIndexOf("/")) === issuer);
}

function matches(pattern: string, text: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("*")) return text.endsWith(pattern.slice(1));
  return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function toEntrances(options: { field: "destinationIp" | "port"; value: string; entrances: Entrances }): Changes {
  const { field, value, entrances } = options;
  const leads = ({ port, addresses, blocks }: Entrances[number]): boolean =>
    field === "port" ? value === String(port) : blocks.includes(value) || Object.values(addresses).includes(value);
  const go = (isHit: boolean): readonly Change[] =>
    ([0, 1] as const)
      .filter((index) => leads(entrances[index]) === isHit)
      .map((entrance) => (probe) => ({ ...probe, entrance }));
  return { hits: go(true), misses: go(false) };
}
