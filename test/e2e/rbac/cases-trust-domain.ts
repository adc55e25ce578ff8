/** Aliases of the trust domain, as istiod writes them into its RBAC configuration. */
import type { CertificateNames } from "../../scenarios/certificates.ts";
import { allow, deny, from, variants, when, whenNot, type Group, type TrustDomains } from "./group.ts";
import { allIds, exact, noId, oneId, peer, prefix, regex, type NativeRule } from "./native.ts";

const TRUST_DOMAINS: TrustDomains = ["corp.example", "old.example", "older-corp.example"];

const account = (domain: string, ns: string, sa: string): { readonly client: CertificateNames } => ({
  client: { uri: `spiffe://${domain}/ns/${ns}/sa/${sa}` },
});
const inEach = (ns: string, sa: string): readonly { readonly client: CertificateNames }[] =>
  TRUST_DOMAINS.map((domain) => account(domain, ns, sa));
const who = (id: NativeRule["who"] & object): readonly NativeRule[] => [{ who: id }];
/** `spiffe://<one of the trust domains><end>` */
const exactInEach = (end: string): readonly NonNullable<NativeRule["who"]>[] =>
  TRUST_DOMAINS.map((domain) => peer(exact(`spiffe://${domain}${end}`)));
const prefixInEach = (end: string): readonly NonNullable<NativeRule["who"]>[] =>
  TRUST_DOMAINS.map((domain) => peer(prefix(`spiffe://${domain}${end}`)));

export const TRUST_DOMAIN_GROUPS: readonly Group[] = [
  {
    title: "a principal in an alias, and one in a foreign trust domain",
    trustDomains: TRUST_DOMAINS,
    policies: [allow(from({ principals: ["old.example/ns/a/sa/x", "other.example/ns/a/sa/y"] }))],
    native: {
      allow: who(oneId(...exactInEach("/ns/a/sa/x"), peer(exact("spiffe://other.example/ns/a/sa/y")))),
    },
    allowed: variants(...inEach("a", "x"), account("other.example", "a", "y")),
    denied: variants(
      ...inEach("a", "y"),
      account("other.example", "a", "x"),
      account("cluster.local", "a", "x"),
      account("xold.example", "a", "x"),
      account("old.example", "a", "xx"),
      { client: "none" },
    ),
  },
  {
    title: "cluster.local stands for the trust domains, also where it is none of them",
    trustDomains: TRUST_DOMAINS,
    policies: [allow(from({ principals: ["cluster.local/ns/a/sa/*"] }), from({ principals: ["*/ns/b/sa/y"] }))],
    native: {
      allow: [{ who: oneId(...prefixInEach("/ns/a/sa/")) }, { who: peer(regex("spiffe://.*/ns/b/sa/y")) }],
    },
    allowed: variants(...inEach("a", "x"), ...inEach("b", "y"), account("other.example", "b", "y")),
    denied: variants(account("cluster.local", "a", "x"), account("old.example", "b", "x")),
  },
  {
    title: "a principal that is not of the usual form stays as it is",
    trustDomains: TRUST_DOMAINS,
    policies: [allow(from({ principals: ["cluster.local/ns/a/*", "old.example/ns/b/*", "old.example/x"] }))],
    native: {
      allow: who(
        oneId(
          peer(prefix("spiffe://cluster.local/ns/a/")),
          peer(prefix("spiffe://old.example/ns/b/")),
          peer(exact("spiffe://old.example/x")),
        ),
      ),
    },
    allowed: variants(account("cluster.local", "a", "x"), account("old.example", "b", "x"), {
      client: { uri: "spiffe://old.example/x" },
    }),
    denied: variants(...inEach("a", "x"), account("corp.example", "b", "x"), {
      client: { uri: "spiffe://corp.example/x" },
    }),
  },
  {
    title: "a pattern at either end of the trust domain",
    trustDomains: TRUST_DOMAINS,
    policies: [
      allow(
        from({ principals: ["*corp.example/ns/a/sa/x"] }),
        from({ principals: ["old*/ns/b/sa/y"] }),
        from({ principals: ["*corp.example/ns/c/sa/*", "o*x/ns/d/sa/z"] }),
      ),
    ],
    native: {
      allow: [
        {
          who: oneId(peer(regex("spiffe://.*corp\\.example/ns/a/sa/x")), peer(exact("spiffe://old.example/ns/a/sa/x"))),
        },
        { who: oneId(...exactInEach("/ns/b/sa/y")) },
        {
          who: oneId(
            peer(regex("spiffe://.*corp\\.example/ns/c/sa/\\*")),
            peer(prefix("spiffe://old.example/ns/c/sa/")),
            peer(exact("spiffe://o*x/ns/d/sa/z")),
          ),
        },
      ],
    },
    allowed: variants(
      ...inEach("a", "x"),
      account("another-corp.example", "a", "x"),
      ...inEach("b", "y"),
      account("old.example", "c", "z"),
    ),
    denied: variants(
      account("other.example", "a", "x"),
      account("older.example", "b", "y"),
      account("corp.example", "c", "z"),
      account("old.example", "d", "z"),
    ),
  },
  {
    title: "not a principal, and the principal as a condition",
    trustDomains: TRUST_DOMAINS,
    policies: [
      deny(from({ notPrincipals: ["corp.example/ns/a/sa/*"] })),
      allow(when("source.principal", ["older-corp.example/ns/a/sa/*"], ["old.example/ns/a/sa/no"])),
    ],
    native: {
      deny: who(noId(...prefixInEach("/ns/a/sa/"))),
      allow: who(allIds(oneId(...prefixInEach("/ns/a/sa/")), noId(...exactInEach("/ns/a/sa/no")))),
    },
    allowed: variants(...inEach("a", "x")),
    denied: variants(...inEach("a", "no"), ...inEach("b", "x"), account("other.example", "a", "x"), {
      client: "none",
    }),
  },
  {
    title: "trust domains",
    trustDomains: TRUST_DOMAINS,
    policies: [
      allow(from({ trustDomains: ["old.example", "dev-*", "cluster.local"] }), from({ trustDomains: ["*x"] })),
    ],
    native: {
      allow: [
        {
          who: oneId(
            ...prefixInEach("/"),
            peer(regex("spiffe://dev-[^/]*/.*")),
            peer(prefix("spiffe://cluster.local/")),
          ),
        },
        { who: peer(regex("spiffe://[^/]*x/.*")) },
      ],
    },
    allowed: variants(
      ...inEach("a", "x"),
      account("dev-1", "a", "x"),
      account("b.x", "a", "x"),
      account("cluster.local", "a", "x"),
    ),
    denied: variants(account("old.example.org", "a", "x"), account("other.example", "a", "x"), { client: "none" }),
  },
  {
    title: "not a trust domain, and the trust domain as a condition",
    trustDomains: TRUST_DOMAINS,
    policies: [
      deny(whenNot("source.trustDomain", ["older-corp.example", "*.test"])),
      allow({ ...from({ notTrustDomains: ["old*"] }), ...when("source.trustDomain", ["corp.example", "a.test"]) }),
    ],
    native: {
      deny: who(noId(...prefixInEach("/"), peer(regex("spiffe://[^/]*\\.test/.*")))),
      allow: who(
        allIds(
          noId(peer(regex("spiffe://old[^/]*/.*"))),
          oneId(...prefixInEach("/"), peer(prefix("spiffe://a.test/"))),
        ),
      ),
    },
    allowed: variants(account("corp.example", "a", "x"), account("a.test", "a", "x")),
    denied: variants(
      account("old.example", "a", "x"),
      account("older-corp.example", "a", "x"),
      account("b.test", "a", "x"),
      account("other.example", "a", "x"),
    ),
  },
  {
    title: "namespaces and service accounts know no trust domain",
    trustDomains: TRUST_DOMAINS,
    policies: [allow(from({ namespaces: ["a"] }, { serviceAccounts: ["web"] }))],
    native: {
      allow: who(oneId(peer(regex(".*/ns/a/.*")), peer(regex("spiffe://.+/ns/team-a/(.+/|)sa/web(/.+)?")))),
    },
    allowed: variants(
      ...inEach("a", "x"),
      account("other.example", "a", "x"),
      account("other.example", "team-a", "web"),
    ),
    denied: variants(...inEach("b", "x"), account("old.example", "b", "web")),
  },
];
