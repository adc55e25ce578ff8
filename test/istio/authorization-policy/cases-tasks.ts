/** What people come to AuthorizationPolicy for: the situations that Istio's documentation walks through. */
import { allow, deny, from, to, when, whenNot } from "../../e2e/rbac/group.ts";
import { inRoot, named, rehearsed, selecting, type Case } from "./case.ts";
import { FOREIGN_TRUST_DOMAIN, ISSUERS, LABELS, TRUST_DOMAIN } from "./place.ts";
import { account, PLAIN, token } from "./probe.ts";

const WEB = { app: LABELS.app };

export const TASK_CASES: readonly Case[] = [
  { title: "nothing is allowed", policies: [{ name: "allow-nothing", spec: {} }] },
  { title: "everything is denied", policies: [named("deny-all", deny({}))] },
  { title: "everything is allowed", policies: [named("allow-all", allow({}))] },
  {
    title: "nothing by default, reading for everybody",
    policies: [
      { name: "default-nothing", spec: {} },
      named("readers", selecting(WEB, allow(to({ methods: ["GET", "HEAD"] })))),
    ],
  },
  {
    title: "one caller may read",
    policies: [
      selecting(
        WEB,
        allow({
          ...from({ principals: [`${TRUST_DOMAIN}/ns/shop/sa/storefront`] }),
          ...to({ methods: ["GET"] }),
        }),
      ),
    ],
  },
  {
    title: "a namespace or one account of another, some paths, and a token with a claim",
    policies: [
      selecting(
        { app: LABELS.app, version: LABELS.version },
        allow({
          ...from({ principals: ["cluster.local/ns/default/sa/batch"] }, { namespaces: ["dev"] }),
          ...to({ methods: ["GET"] }),
          when: [{ key: "request.auth.claims[iss]", values: [ISSUERS[0]] }],
        }),
      ),
    ],
  },
  {
    title: "all but one namespace are kept out",
    policies: [selecting(WEB, deny(from({ notNamespaces: ["shop"] })))],
  },
  {
    title: "all but one path ask for a caller with a name",
    policies: [
      named("with-name", deny({ ...from({ notPrincipals: ["*"] }), ...to({ notPaths: ["/healthz"] }) })),
      named("rest", allow({})),
    ],
    given: [
      { ...PLAIN, path: "/healthz" },
      { ...PLAIN, path: "/healthz", client: account("shop", "web") },
    ],
  },
  {
    title: "health checks for everybody, the rest with a token",
    policies: [allow(to({ paths: ["/healthz", "/metrics"] }), from({ requestPrincipals: ["*"] }))],
    given: [
      { ...PLAIN, path: "/healthz" },
      { ...PLAIN, path: "/x", jwt: token() },
    ],
  },
  { title: "a token is a must", policies: [deny(from({ notRequestPrincipals: ["*"] }))] },
  {
    title: "a token of one issuer and subject",
    policies: [allow(from({ requestPrincipals: [`${ISSUERS[2]}/${ISSUERS[2]}`] }))],
    given: [
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], sub: ISSUERS[2] }) },
      { ...PLAIN, jwt: token({ iss: ISSUERS[0], sub: ISSUERS[2] }) },
    ],
  },
  {
    title: "members of a group",
    policies: [
      allow({
        ...from({ requestPrincipals: [`${ISSUERS[2]}/*`] }),
        when: [{ key: "request.auth.claims[groups]", values: ["group1"] }],
      }),
    ],
    given: [
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], groups: ["group0", "group1"] }) },
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], groups: "group1" }) },
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], groups: ["group11"] }) },
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], groups: [] }) },
      { ...PLAIN, jwt: token({ iss: ISSUERS[2], groups: { group1: "group1" } }) },
    ],
  },
  {
    title: "no reading at all",
    policies: [selecting(WEB, deny(to({ methods: ["GET"] })))],
  },
  {
    title: "reading only with a header's value",
    policies: [
      selecting(WEB, deny({ ...to({ methods: ["GET"] }), ...whenNot("request.headers[x-token]", ["admin"]) })),
    ],
    given: [
      { ...PLAIN, headers: [["x-token", "admin"]] },
      { ...PLAIN, headers: [["x-token", "guest"]] },
      {
        ...PLAIN,
        headers: [
          ["x-token", "guest"],
          ["x-token", "admin"],
        ],
      },
    ],
  },
  {
    title: "reading only with a header's value, and one path is for nobody",
    policies: [
      named("token", deny({ ...to({ methods: ["GET"] }), ...whenNot("request.headers[x-token]", ["admin"]) })),
      named("path", allow(to({ paths: ["/ip"] }))),
    ],
    given: [
      { ...PLAIN, path: "/ip", headers: [["x-token", "admin"]] },
      { ...PLAIN, path: "/get", headers: [["x-token", "admin"]] },
      { ...PLAIN, path: "/ip", headers: [["x-token", "guest"]] },
    ],
  },
  {
    title: "some clients of the gateway",
    policies: [allow(from({ remoteIpBlocks: ["10.1.2.3", "10.2.0.0/16"] }))],
  },
  {
    title: "not some clients of the gateway",
    policies: [deny(from({ remoteIpBlocks: ["10.1.2.3", "10.2.0.0/16"] }))],
  },
  {
    title: "the security team says no for the whole mesh",
    policies: [inRoot(named("mesh", deny(to({ paths: ["/admin", "/admin/*"] })))), allow(to({ methods: ["GET"] }))],
  },
  {
    title: "the security team closes the mesh, the team opens its part",
    policies: [{ name: "closed", root: true, spec: {} }, allow(from({ namespaces: ["shop"] }))],
  },
  {
    title: "from before the trust domain was renamed",
    policies: [
      { name: "deny-all", spec: {} },
      allow({ ...from({ principals: ["old.example/ns/shop/sa/web"] }), ...to({ methods: ["GET"] }) }),
    ],
    given: ["mesh.example", "old.example", "older.test", "cluster.local", FOREIGN_TRUST_DOMAIN].map((domain) => ({
      ...PLAIN,
      client: account("shop", "web", domain),
    })),
  },
  {
    title: "a rehearsal",
    policies: [rehearsed(named("rehearsal", deny(to({ paths: ["/headers"] }))))],
  },
  {
    title: "a rehearsal beside what is in force",
    policies: [
      named("in-force", allow(to({ paths: ["/headers", "/get"] }))),
      rehearsed(named("tomorrow", allow(to({ paths: ["/get"] })))),
    ],
  },
  {
    title: "anything but one host",
    policies: [deny(to({ notHosts: ["*.web.example", "web.example"] }))],
  },
  {
    title: "a template of paths",
    policies: [allow(to({ paths: ["/shops/{*}/orders", "/static/{**}", "/v1/{**}/status"] }))],
  },
  {
    title: "accounts by name",
    policies: [allow(from({ serviceAccounts: ["web", "shop/batch"] }))],
  },
  {
    title: "only our own trust domain",
    policies: [deny(from({ notTrustDomains: [TRUST_DOMAIN] })), named("domains", allow({}))],
    given: [
      { ...PLAIN, client: account("shop", "web", FOREIGN_TRUST_DOMAIN) },
      { ...PLAIN, client: account("a", "b") },
    ],
  },
  {
    title: "tokens for this audience, by this presenter",
    policies: [
      allow({
        when: [
          { key: "request.auth.audiences", values: ["web.example/api", "web.example/admin*"] },
          { key: "request.auth.presenter", values: ["123.client.example"], notValues: ["*.evil.example"] },
        ],
      }),
    ],
    given: [
      { ...PLAIN, jwt: token({ aud: ["x", "web.example/api"], azp: "123.client.example" }) },
      { ...PLAIN, jwt: token({ aud: "web.example/admins", azp: "123.client.example" }) },
      { ...PLAIN, jwt: token({ aud: "web.example/api", azp: ["123.client.example"] }) },
      { ...PLAIN, jwt: token({ aud: "web.example/apis", azp: "123.client.example" }) },
    ],
  },
  {
    title: "a browser, by the words of its header",
    policies: [allow(when("request.headers[User-Agent]", ["Mozilla/*"]))],
  },
];
