/** Values of the fields: few words, so that policies and requests meet, in every form that Istio takes. */
import fc from "fast-check";
import { FOREIGN_TRUST_DOMAIN, ISSUERS, TRUST_DOMAIN, TRUST_DOMAIN_ALIASES, type Entrances } from "./place.ts";

type Texts = fc.Arbitrary<string>;

export interface Values {
  readonly principal: Texts;
  readonly namespace: Texts;
  readonly serviceAccount: Texts;
  readonly trustDomain: Texts;
  readonly requestPrincipal: Texts;
  readonly block: Texts;
  readonly destination: Texts;
  readonly port: Texts;
  readonly host: Texts;
  readonly method: Texts;
  readonly path: Texts;
  readonly word: Texts;
  readonly issuer: Texts;
}

const DOMAINS = [TRUST_DOMAIN, "cluster.local", ...TRUST_DOMAIN_ALIASES, FOREIGN_TRUST_DOMAIN];

/** exact, prefix, suffix, presence, and now and then stars that are none. */
function patterns(texts: Texts): Texts {
  return fc.oneof(
    { weight: 6, arbitrary: texts },
    { weight: 3, arbitrary: fc.tuple(texts, fc.nat({ max: 6 })).map(([text, cut]) => `${head(text, cut)}*`) },
    { weight: 3, arbitrary: fc.tuple(texts, fc.nat({ max: 6 })).map(([text, cut]) => `*${tail(text, cut)}`) },
    { weight: 1, arbitrary: fc.constant("*") },
    { weight: 1, arbitrary: texts.map((text) => `${head(text, 2)}*${tail(text, 2)}`) },
  );
}

function head(text: string, cut: number): string {
  return text.slice(0, Math.max(1, text.length - cut));
}

function tail(text: string, cut: number): string {
  return text.slice(Math.min(cut, text.length - 1));
}

const namespace = fc.constantFrom("shop", "shop-eu", "ops", "team-a", "istio-system");
const accountName = fc.constantFrom("web", "web-eu", "batch", "default");
const identity = fc
  .tuple(fc.constantFrom(...DOMAINS), namespace, accountName)
  .map(([domain, ns, name]) => `${domain}/ns/${ns}/sa/${name}`);
const domainPattern = fc.constantFrom(...DOMAINS, "*", "mesh.*", "*.example", "old.*", "*ocal", "*.test", "*example");

const principal = fc.oneof(
  { weight: 3, arbitrary: patterns(identity) },
  { weight: 2, arbitrary: fc.tuple(domainPattern, namespace, accountName).map(([d, n, a]) => `${d}/ns/${n}/sa/${a}`) },
  { weight: 1, arbitrary: fc.tuple(domainPattern, namespace).map(([d, n]) => `${d}/ns/${n}/*`) },
  { weight: 1, arbitrary: fc.tuple(namespace, accountName).map(([n, a]) => `*/ns/${n}/sa/${a}`) },
);

const requestPrincipal = fc.oneof(
  patterns(fc.tuple(fc.constantFrom(...ISSUERS), fc.constantFrom("alice", "bob", "carol")).map((p) => p.join("/"))),
  fc.constantFrom(...ISSUERS.map((issuer) => `${issuer}/*`), "*/alice", "*/bob", "*realm/carol", "*ice"),
);

const block = fc.oneof(
  fc.constantFrom("10.1.2.3", "10.1.2.0/24", "10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "192.168.4.5/32"),
  fc.constantFrom("192.168.0.0/17", "172.16.0.0/12", "127.0.0.0/8", "127.9.8.7", "203.0.113.64/26", "10.1.2.3/31"),
  fc.constantFrom("2001:db8::1", "2001:db8::/32", "2001:db8:8000::/33", "::/0", "::ffff:10.1.2.3", "fe80::/10"),
);

const segment = fc.constantFrom("admin", "api", "v1", "orders", "users", "a", "b.css", "x-y_z~", "Admin");
const plainPath = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join("/")}`);
const template = fc
  .tuple(
    fc.array(fc.oneof(segment, fc.constant("{*}")), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "/{**}", "/{*}", "/{**}/end", "/"),
  )
  .map(([segments, end]) => `/${segments.join("/")}${end}`);

/** @param entrances - for what is about ports and addresses of the workload */
export function valuesIn(entrances: Entrances): Values {
  const ports = entrances.map(({ port }) => String(port));
  return {
    principal,
    requestPrincipal,
    block,
    namespace: fc.oneof(namespace, fc.constantFrom("*", "shop*", "*-eu", "*o*", "sh*p", "*-*", "istio*")),
    serviceAccount: fc.oneof(
      accountName,
      fc.tuple(namespace, accountName).map(([ns, name]) => `${ns}/${name}`),
      fc.constantFrom("we.b", "ops/.+"),
    ),
    trustDomain: domainPattern,
    destination: fc.constantFrom(
      ...entrances.flatMap(({ blocks }) => blocks),
      ...["127.71.0.0/16", "127.71.0.0/23", "127.71.2.0/24", "::/0", "10.0.0.0/8", "127.71.0.0/30"],
    ),
    port: fc.oneof(fc.constantFrom(...ports), fc.constantFrom("80", "65535", "0")),
    host: patterns(fc.constantFrom("web.example", "api.web.example", "Web.Example", "web.example:8080", "db.example")),
    method: patterns(fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE")),
    path: fc.oneof({ weight: 3, arbitrary: patterns(plainPath) }, { weight: 1, arbitrary: template }),
    word: patterns(fc.constantFrom("admin", "user", "ops team", "a,b", "web", "Ünï")),
    issuer: patterns(fc.constantFrom(...ISSUERS)),
  };
}
