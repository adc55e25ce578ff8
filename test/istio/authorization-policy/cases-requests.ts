/** Corners of paths, hosts, headers and tokens. */
import { allow, deny, from, to, when, whenNot } from "../../e2e/rbac/group.ts";
import type { Case } from "./case.ts";
import { ISSUERS } from "./place.ts";
import { account, onPaths, PLAIN, token, withHeaders, type Probe } from "./probe.ts";

const withClaims = (claims: Readonly<Record<string, unknown>>): Probe => ({ ...PLAIN, jwt: token(claims) });

export const REQUEST_CASES: readonly Case[] = [
  {
    title: "claims inside claims, in lists, split at spaces, and none of these",
    policies: [
      allow(
        when("request.auth.claims[realm][access][roles]", ["admin", "dev*"]),
        when("request.auth.claims[scope]", ["read"]),
        when("request.auth.claims[level]", ["7", "true"]),
      ),
    ],
    given: [
      withClaims({ realm: { access: { roles: ["x", "admin"] } } }),
      withClaims({ realm: { access: { roles: "developer" } } }),
      withClaims({ realm: { access: ["roles", "admin"] } }),
      withClaims({ realm: { access: { roles: [["admin"]] } } }),
      withClaims({ "realm.access.roles": "admin", realm: "admin" }),
      withClaims({ scope: "write read" }),
      withClaims({ scope: "read" }),
      withClaims({ scope: "readonly" }),
      withClaims({ scope: ["read"] }),
      withClaims({ level: 7 }),
      withClaims({ level: true }),
      withClaims({ level: "7" }),
      withClaims({ level: null }),
    ],
  },
  {
    title: "tokens of three issuers",
    policies: [allow(from({ requestPrincipals: ["*/bob", `${ISSUERS[1]}/*`, "https://accounts*"] }))],
    given: ISSUERS.flatMap((iss) => ["alice", "bob", "", "x/bob"].map((sub) => withClaims({ iss, sub }))),
  },
  {
    title: "a header's values, one by one",
    policies: [allow(when("request.headers[X-Role]", ["admin", "*min", "a*"], ["bad"]))],
    given: [
      withHeaders(["x-role", "user"], ["x-role", "admin"]),
      withHeaders(["x-role", "admin"], ["x-role", "bad"]),
      withHeaders(["x-role", "admin, bad"]),
      withHeaders(["x-role", ""]),
      withHeaders(["x-role", "min"]),
      withHeaders(["x-role", "a"]),
      withHeaders(["X-ROLE", "Admin"]),
    ],
  },
  {
    title: "a header that is there, and one that is not",
    policies: [
      allow({
        when: [
          { key: "request.headers[x-a]", values: ["*"] },
          { key: "request.headers[x-b]", notValues: ["*"] },
        ],
      }),
    ],
    given: [
      withHeaders(["x-a", ""]),
      withHeaders(["x-a", "1"]),
      withHeaders(["x-a", "1"], ["x-b", ""]),
      withHeaders(["x-b", "1"]),
    ],
  },
  {
    title: "headers that Envoy itself writes",
    policies: [
      deny(
        when("request.headers[x-forwarded-client-cert]", ["*"]),
        when("request.headers[x-request-id]", ["fixed"]),
        when("request.headers[x-envoy-original-path]", ["*"]),
      ),
    ],
    given: [
      withHeaders(["x-request-id", "fixed"]),
      withHeaders(["x-forwarded-client-cert", "By=x"]),
      { ...PLAIN, client: account("shop", "web") },
      withHeaders(["x-envoy-original-path", "/x"]),
    ],
  },
  {
    title: "cookies and user agents",
    policies: [allow(when("request.headers[Cookie]", ["a=1*", "*b=2"]), when("request.headers[user-agent]", ["good"]))],
    given: [
      withHeaders(["Cookie", "a=1; c=3"]),
      withHeaders(["Cookie", "c=3"], ["Cookie", "b=2"]),
      withHeaders(["User-Agent", "good"]),
      withHeaders(["User-Agent", "good"], ["User-Agent", "bad"]),
    ],
  },
  {
    title: "paths as Envoy hands them on",
    policies: [deny(to({ paths: ["/admin", "/admin/*", "*.key", "/a b"] }))],
    given: onPaths(
      ...["/admin", "/Admin", "/%61dmin", "/./admin", "/x/../admin", "//admin", "/admin/", "/admin;x", "/admin%2fx"],
      ...["/admin/../x", "/admin%2f..%2fx", "/x/%2e%2e/admin", "/x.key", "/x.key?y", "/x.key/", "/?/admin", "/a%20b"],
    ),
  },
  {
    title: "templates and what they do not take",
    policies: [allow(to({ paths: ["/u/{*}/o", "/f/{**}", "/m/{*}/{**}/e", "/t/{*}/"], notPaths: ["/f/secret/{**}"] }))],
    given: onPaths(
      ...[
        "/u/7/o",
        "/u//o",
        "/u/7/8/o",
        "/u/7/o/",
        "/u/a%2fb/o",
        "/u/a|b/o",
        "/f/",
        "/f",
        "/f/a/b",
        "/f/secret/a",
        "/f/secret",
      ],
      ...["/m/a/b/e", "/m/a/e", "/m/a//e", "/m/a/b/c/e?x", "/t/a/", "/t/a", "/t//"],
    ),
  },
  {
    title: "hosts with ports, dots and capitals",
    policies: [allow(to({ hosts: ["Web.Example", "*.api.example", "db.*", "x.example:8443"] }))],
    given: [
      "web.example",
      "WEB.example",
      "web.example.",
      "web.example:80",
      "a.API.example",
      "api.example",
      "DB.x",
      "x.example:8443",
      "x.example",
    ].map((host) => ({ ...PLAIN, host })),
  },
  {
    title: "a preflight request",
    policies: [deny(from({ notRequestPrincipals: ["*"] }))],
    given: [
      {
        ...PLAIN,
        method: "OPTIONS",
        headers: [
          ["Origin", "https://a.example"],
          ["Access-Control-Request-Method", "GET"],
        ],
        jwt: token(),
      },
      { ...PLAIN, method: "OPTIONS", jwt: token() },
    ],
  },
  {
    title: "stars that are none",
    policies: [allow(to({ paths: ["/a*b", "*/c*d", "**"] }), when("request.headers[x-a]", ["*x*", "y*z"]))],
    given: [
      ...onPaths("/a*b", "/axb", "/x/c*d", "/c*d", "/x*", "/*"),
      withHeaders(["x-a", "x*"]),
      withHeaders(["x-a", "y*z"]),
    ],
  },
  {
    title: "several headers that must not be",
    policies: [
      allow({
        ...to({ notMethods: ["DELETE"], notHosts: ["*.test"], notPorts: ["1"] }),
        ...whenNot("request.headers[x-blocked]", ["*"]),
      }),
    ],
    given: [withHeaders(["x-blocked", ""]), { ...PLAIN, host: "a.TEST" }, { ...PLAIN, method: "DELETE" }],
  },
];
