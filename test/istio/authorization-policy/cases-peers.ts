/** Who asks and where it comes in: corners in which a filter written from the description alone would go another way. */
import { allow, deny, from, when, whenNot, type PolicySpec } from "../../e2e/rbac/group.ts";
import { inRoot, named, type Case } from "./case.ts";
import { FOREIGN_TRUST_DOMAIN, TRUST_DOMAIN, type Entrances } from "./place.ts";
import { account, PLAIN, withHeaders, type Probe } from "./probe.ts";

const withClient = (uri: string): Probe => ({ ...PLAIN, client: { uri } });

/** Names that are no usual identity of a workload. */
const ODD_CLIENTS: readonly Probe[] = [
  { ...PLAIN, client: { dns: "web.shop.example" } },
  { ...PLAIN, client: { commonName: "web" } },
  { ...PLAIN, client: { uri: "spiffe://mesh.example/ns/shop/sa/web", dns: "spiffe://mesh.example/ns/ops/sa/web" } },
  withClient("spiffe://mesh.example/ns/shop/x/y/sa/web"),
  withClient("spiffe://mesh.example/ns/shop/sa/web/z"),
  withClient("spiffe://mesh.example/x/ns/shop/sa/web"),
  withClient("spiffe://mesh.example/ns/shop/sa/web-eu"),
  withClient("spiffe://mesh.example/ns/shop-eu/sa/web"),
  withClient("spiffe://mesh.example"),
  withClient("spiffe://mesh.example/"),
  withClient("https://mesh.example/ns/shop/sa/web"),
  withClient("spiffe://foreign.example/mesh.example/ns/shop/sa/web"),
];

const PEERS: Readonly<Record<string, PolicySpec>> = {
  "an account": allow(from({ serviceAccounts: ["shop/web"] })),
  "a namespace": allow(from({ namespaces: ["shop"] })),
  "a namespace in a pattern": allow(from({ namespaces: ["s*p"] })),
  "a principal": allow(from({ principals: [`${TRUST_DOMAIN}/ns/shop/sa/web`] })),
  "any principal": allow(from({ principals: ["*"] })),
  "the end of a principal": allow(from({ principals: ["*/sa/web"] })),
  "the beginning of a principal": allow(from({ principals: ["mesh.example/ns/shop*"] })),
  "half of a trust domain in a principal": allow(from({ principals: ["*.example/ns/shop/sa/web"] })),
  "a trust domain": allow(from({ trustDomains: [TRUST_DOMAIN] })),
  "an alias of the trust domain": allow(from({ trustDomains: ["old.example"] })),
  "any trust domain": allow(from({ trustDomains: ["*"] })),
  "the end of a trust domain": allow(from({ trustDomains: ["*.example"] })),
  "cluster.local as a trust domain": allow(from({ trustDomains: ["cluster.local"] })),
  "no name": deny(from({ notPrincipals: ["*"] })),
  "not a trust domain": deny(from({ notTrustDomains: ["old.example"] })),
  "not an account": deny(from({ notServiceAccounts: ["shop/web", "web"] })),
};

const PEER_CASES: readonly Case[] = Object.entries(PEERS).map(([title, policy]) => ({
  title: `odd names: ${title}`,
  policies: [policy],
  given: [
    ...ODD_CLIENTS,
    ...[TRUST_DOMAIN, "old.example", "older.test", "cluster.local", FOREIGN_TRUST_DOMAIN].map((domain) => ({
      ...PLAIN,
      client: account("shop", "web", domain),
    })),
  ],
}));

export function peerCases(entrances: Entrances): readonly Case[] {
  const [first] = entrances;
  return [
    ...PEER_CASES,
    {
      title: "the same condition beside several sources",
      policies: [
        allow({
          ...from({ namespaces: ["shop"] }, { namespaces: ["ops"] }, { trustDomains: ["*"] }),
          when: [
            { key: "source.principal", values: ["*-eu/ns/a/b", "old.example/ns/shop/sa/web", "*.test/ns/ops/sa/web"] },
          ],
        }),
      ],
      given: ["shop", "ops"].flatMap((namespace) =>
        [TRUST_DOMAIN, "old.example", "older.test", FOREIGN_TRUST_DOMAIN].map((domain) => ({
          ...PLAIN,
          client: account(namespace, "web", domain),
        })),
      ),
    },
    {
      title: "addresses of both families",
      policies: [
        allow(from({ remoteIpBlocks: ["10.1.0.0/16", "2001:db8::/33", "::1"], notRemoteIpBlocks: ["10.1.2.0/24"] })),
      ],
      given: [
        "10.1.3.4",
        "10.1.2.3",
        "10.2.0.0",
        "2001:db8:7fff::1",
        "2001:db8:8000::1",
        "::1",
        "::ffff:10.1.3.4",
        "x",
      ].flatMap((ip) => [
        withHeaders(["X-Forwarded-For", ip]),
        withHeaders(["X-Forwarded-For", `${ip}, 192.0.2.1`]),
        withHeaders(["X-Forwarded-For", `192.0.2.1,${ip}`]),
      ]),
    },
    {
      title: "IPv4 addresses in IPv6's clothes",
      policies: [deny(from({ remoteIpBlocks: ["::ffff:10.1.2.0/120", "0.0.0.0/1"] }))],
      given: ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.1", "::1"].map((ip) => withHeaders(["X-Forwarded-For", ip])),
    },
    {
      title: "the address and the port that the connection came in on",
      policies: [
        allow({
          when: [
            { key: "destination.ip", values: Object.values(first.addresses) },
            { key: "destination.port", values: [String(first.port)], notValues: ["80"] },
          ],
        }),
      ],
      given: [PLAIN, { ...PLAIN, entrance: 1 }, { ...PLAIN, host: `web.example:${first.port}`, entrance: 1 }],
    },
    {
      title: "not on this address",
      policies: [
        deny(whenNot("destination.ip", ["127.71.0.0/24"])),
        named("rest", allow(whenNot("destination.ip", ["127.71.1.0/24", "::/0"]))),
      ],
      given: [
        ...["GET", "PUT", "POST"].flatMap((method) =>
          ([0, 1] as const).map((entrance) => ({ ...PLAIN, method, entrance })),
        ),
      ],
    },
    {
      title: "the server name that was asked for",
      policies: [allow(when("connection.sni", ["web.example", "*.Shop.example"], ["evil.shop.example"]))],
      given: ["web.example", "WEB.EXAMPLE", "a.Shop.example", "a.shop.example", "evil.shop.example", undefined].map(
        (sni) => ({
          ...PLAIN,
          client: account("shop", "web"),
          sni,
        }),
      ),
    },
    {
      title: "words of regular expressions are words",
      policies: [
        allow(
          from({ namespaces: ["sh.p", "o+s"] }, { serviceAccounts: ["shop/w.b"] }, { trustDomains: ["m.sh.example"] }),
        ),
      ],
      given: [
        account("shop", "x"),
        account("sh.p", "x"),
        account("o+s", "x"),
        account("oos", "x"),
        account("shop", "w.b"),
      ].map((client) => ({ ...PLAIN, client })),
    },
    {
      title: "a root policy means accounts of its own namespace",
      policies: [
        inRoot(allow(from({ serviceAccounts: ["web"] }))),
        named("ours", allow(from({ serviceAccounts: ["batch"] }))),
      ],
      given: ["team-a", "istio-system"].flatMap((namespace) =>
        ["web", "batch"].map((name) => ({ ...PLAIN, client: account(namespace, name) })),
      ),
    },
  ];
}
