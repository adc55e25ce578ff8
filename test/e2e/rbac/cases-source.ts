/** Who asks: certificate names and addresses. */
import { allow, deny, from, variants, when, whenNot, type Group } from "./group.ts";
import type { CertificateNames } from "../../scenarios/certificates.ts";
import { allIds, exact, noId, oneId, peer, prefix, regex, remoteIp, type NativeRule } from "./native.ts";

const named = (uri: string): { readonly client: CertificateNames } => ({ client: { uri } });
const account = (ns: string, sa: string, domain = "cluster.local"): { readonly client: CertificateNames } =>
  named(`spiffe://${domain}/ns/${ns}/sa/${sa}`);
const NO_CERTIFICATE = { client: "none" } as const;
const who = (id: NativeRule["who"] & object): readonly NativeRule[] => [{ who: id }];

export const SOURCE_GROUPS: readonly Group[] = [
  {
    title: "an exact principal",
    policies: [allow(from({ principals: ["cluster.local/ns/a/sa/x"] }))],
    native: { allow: who(peer(exact("spiffe://cluster.local/ns/a/sa/x"))) },
    allowed: variants(account("a", "x")),
    denied: variants(
      account("a", "xx"),
      account("A", "x"),
      account("a", "x", "other.local"),
      named("spiffe://cluster.local/ns/a/sa/x/"),
      NO_CERTIFICATE,
      {},
      { headers: [["x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/a/sa/x"]] },
    ),
  },
  {
    title: "principal patterns",
    policies: [allow(from({ principals: ["cluster.local/ns/a/*", "*/sa/ops"] }))],
    native: { allow: who(oneId(peer(prefix("spiffe://cluster.local/ns/a/")), peer(regex("spiffe://.*/sa/ops")))) },
    allowed: variants(account("a", "x"), account("b", "ops"), account("b", "ops", "other.local")),
    denied: variants(account("b", "x"), account("ab", "x"), account("b", "xops"), NO_CERTIFICATE, {
      client: { uri: "https://x/ns/b/sa/ops" },
    }),
  },
  {
    title: "any principal",
    policies: [allow(from({ principals: ["*"] }))],
    native: { allow: who(peer(regex(".+"))) },
    allowed: variants(account("a", "x"), { client: { dns: "client.example" } }, { client: { commonName: "client" } }),
    denied: variants(NO_CERTIFICATE, {}),
  },
  {
    title: "not a principal",
    policies: [deny(from({ notPrincipals: ["cluster.local/ns/a/sa/x", "*/sa/ops"] }))],
    native: {
      deny: who(noId(peer(exact("spiffe://cluster.local/ns/a/sa/x")), peer(regex("spiffe://.*/sa/ops")))),
    },
    allowed: variants(account("a", "x"), account("z", "ops")),
    denied: variants(account("a", "y"), NO_CERTIFICATE, {}, { client: { commonName: "x" } }),
  },
  {
    title: "the principal of another trust domain",
    policies: [allow(from({ principals: ["other.local/ns/a/sa/x", "*/ns/b/sa/y"] }))],
    native: {
      allow: who(oneId(peer(exact("spiffe://other.local/ns/a/sa/x")), peer(regex("spiffe://.*/ns/b/sa/y")))),
    },
    allowed: variants(account("a", "x", "other.local"), account("b", "y"), account("b", "y", "third.local")),
    denied: variants(account("a", "x"), account("b", "x", "other.local")),
  },
  {
    title: "the principal as a condition",
    policies: [allow(when("source.principal", ["cluster.local/ns/a/*"], ["cluster.local/ns/a/sa/no"]))],
    native: {
      allow: who(
        allIds(peer(prefix("spiffe://cluster.local/ns/a/")), noId(peer(exact("spiffe://cluster.local/ns/a/sa/no")))),
      ),
    },
    allowed: variants(account("a", "x")),
    denied: variants(account("a", "no"), account("b", "x"), {}),
  },
  {
    title: "namespaces",
    policies: [allow(from({ namespaces: ["a", "dev-*", "*-ops", "p*q"] }))],
    native: {
      allow: who(oneId(...["a", "dev-.*", ".*-ops", "p.*q"].map((pattern) => peer(regex(`.*/ns/${pattern}/.*`))))),
    },
    allowed: variants(account("a", "x"), account("dev-1", "x"), account("b-ops", "x"), account("pxq", "x"), {
      client: { uri: "https://other/ns/a/x" },
    }),
    denied: variants(account("aa", "x"), account("dev", "x"), account("b", "a"), NO_CERTIFICATE, {
      client: { uri: "spiffe://cluster.local/ns/a" },
    }),
  },
  {
    title: "not a namespace",
    policies: [deny(from({ notNamespaces: ["a"] }))],
    native: { deny: who(noId(peer(regex(".*/ns/a/.*")))) },
    allowed: variants(account("a", "x")),
    denied: variants(account("b", "x"), NO_CERTIFICATE, {}),
  },
  {
    title: "the namespace as a condition",
    policies: [allow(when("source.namespace", ["a"]))],
    native: { allow: who(peer(regex(".*/ns/a/.*"))) },
    allowed: variants(account("a", "x")),
    denied: variants(account("b", "x"), {}),
  },
  {
    title: "service accounts",
    policies: [allow(from({ serviceAccounts: ["web", "other/db"] }))],
    native: {
      allow: who(
        oneId(
          peer(regex("spiffe://.+/ns/team-a/(.+/|)sa/web(/.+)?")),
          peer(regex("spiffe://.+/ns/other/(.+/|)sa/db(/.+)?")),
        ),
      ),
    },
    allowed: variants(
      account("team-a", "web"),
      account("other", "db", "any.domain"),
      named("spiffe://td/ns/team-a/k/v/sa/web/x/y"),
    ),
    denied: variants(
      account("team-a", "db"),
      account("other", "web"),
      account("team-a", "webx"),
      named("spiffe://td/ns/team-a/sa/web/"),
      named("spiffe://td/ns/team-a/xsa/web"),
      NO_CERTIFICATE,
    ),
  },
  {
    title: "not a service account, and one as a condition",
    policies: [
      allow({ ...from({ notServiceAccounts: ["web"] }), ...when("source.serviceAccount", ["team-a/ops", "web"]) }),
    ],
    native: {
      allow: who(
        allIds(
          noId(peer(regex("spiffe://.+/ns/team-a/(.+/|)sa/web(/.+)?"))),
          oneId(
            peer(regex("spiffe://.+/ns/team-a/(.+/|)sa/ops(/.+)?")),
            peer(regex("spiffe://.+/ns/team-a/(.+/|)sa/web(/.+)?")),
          ),
        ),
      ),
    },
    allowed: variants(account("team-a", "ops")),
    denied: variants(account("team-a", "web"), account("other", "ops"), {}),
  },
  {
    title: "trust domains",
    policies: [allow(from({ trustDomains: ["cluster.local", "*.corp", "dev-*"] }))],
    native: {
      allow: who(
        oneId(
          peer(prefix("spiffe://cluster.local/")),
          peer(regex("spiffe://[^/]*\\.corp/.*")),
          peer(regex("spiffe://dev-[^/]*/.*")),
        ),
      ),
    },
    allowed: variants(account("a", "x"), account("a", "x", "eu.corp"), account("a", "x", "dev-1")),
    denied: variants(
      account("a", "x", "cluster.local.evil"),
      account("a", "x", "corp"),
      account("a", "x", "my-dev-1"),
      NO_CERTIFICATE,
    ),
  },
  {
    title: "not a trust domain, and any trust domain as a condition",
    policies: [allow({ ...from({ notTrustDomains: ["bad.local"] }), ...when("source.trustDomain", ["*"]) })],
    native: { allow: who(allIds(noId(peer(prefix("spiffe://bad.local/"))), peer(prefix("spiffe://")))) },
    allowed: variants(account("a", "x"), account("a", "x", "bad.locals")),
    denied: variants(account("a", "x", "bad.local"), { client: { commonName: "x" } }, {}),
  },
  {
    title: "remote addresses",
    policies: [allow(from({ remoteIpBlocks: ["10.1.0.0/16", "192.0.2.7", "2001:db8::/33", "0.0.0.0/32"] }))],
    native: {
      allow: who(
        oneId(remoteIp("10.1.0.0", 16), remoteIp("192.0.2.7", 32), remoteIp("2001:db8::", 33), remoteIp("0.0.0.0", 32)),
      ),
    },
    allowed: variants(
      { from: "10.1.255.255:1" },
      { from: "192.0.2.7:1" },
      { from: "[2001:db8:7fff::1]:1", to: "[2001:db8::1]:80" },
      { from: "10.2.0.1:1", headers: [["x-forwarded-for", "10.1.2.3"]] },
      { from: "10.2.0.1:1", headers: [["x-forwarded-for", "8.8.8.8, 10.1.2.3"]] },
    ),
    denied: variants(
      { from: "10.2.0.1:1" },
      { from: "192.0.2.8:1" },
      { from: "[2001:db8:8000::1]:1", to: "[2001:db8::1]:80" },
      { from: "10.1.0.1:1", headers: [["x-forwarded-for", "8.8.8.8"]] },
      { from: "10.2.0.1:1", headers: [["x-forwarded-for", "10.1.2.3, 8.8.8.8"]] },
      { from: "10.2.0.1:1", headers: [["x-forwarded-for", "10.1.2.300"]] },
      { from: "10.2.0.1:1", headers: [["x-forwarded-for", "::ffff:10.1.2.3"]] },
      { from: "10.2.0.1:1", headers: [["x-real-ip", "10.1.2.3"]] },
    ),
  },
  {
    title: "not a remote address",
    policies: [deny(from({ notRemoteIpBlocks: ["10.0.0.0/8", "::/0"] }))],
    native: { deny: who(noId(remoteIp("10.0.0.0", 8), remoteIp("::", 0))) },
    allowed: variants({ from: "10.255.0.1:1" }, { from: "[2001:db8::1]:1", to: "[2001:db8::1]:80" }),
    denied: variants({ from: "11.0.0.1:1" }, { from: "10.0.0.1:1", headers: [["x-forwarded-for", "11.0.0.1"]] }),
  },
  {
    title: "the remote address as a condition",
    policies: [allow({ ...from({ remoteIpBlocks: ["10.0.0.0/8"] }), ...whenNot("remote.ip", ["10.1.2.3"]) })],
    native: { allow: who(allIds(remoteIp("10.0.0.0", 8), noId(remoteIp("10.1.2.3", 32)))) },
    allowed: variants({ from: "10.1.2.4:1" }),
    denied: variants({ from: "10.1.2.3:1" }, { from: "11.0.0.1:1" }),
  },
  {
    title: "several members of one source, and several sources",
    policies: [
      allow(
        from(
          { namespaces: ["a"], notPrincipals: ["cluster.local/ns/a/sa/no"], remoteIpBlocks: ["10.0.0.0/8"] },
          { namespaces: ["b"] },
        ),
      ),
    ],
    native: {
      allow: who(
        oneId(
          allIds(
            peer(regex(".*/ns/a/.*")),
            noId(peer(exact("spiffe://cluster.local/ns/a/sa/no"))),
            remoteIp("10.0.0.0", 8),
          ),
          peer(regex(".*/ns/b/.*")),
        ),
      ),
    },
    allowed: variants({ ...account("a", "x"), from: "10.0.0.1:1" }, { ...account("b", "no"), from: "11.0.0.1:1" }),
    denied: variants({ ...account("a", "no"), from: "10.0.0.1:1" }, { ...account("a", "x"), from: "11.0.0.1:1" }),
  },
];
