/** Headers, and what a verified JWT says. */
import { allow, deny, from, variants, when, whenNot, type Group } from "./group.ts";
import {
  allIds,
  exact,
  header,
  listClaim,
  noId,
  oneId,
  prefix,
  present,
  regex,
  suffix,
  textClaim,
  type NativeRule,
} from "./native.ts";

const who = (id: NativeRule["who"] & object): readonly NativeRule[] => [{ who: id }];
const headers = (...values: readonly string[]): { readonly headers: readonly (readonly [string, string])[] } => ({
  headers: values.map((value) => ["x-role", value]),
});
const jwt = (payload: Readonly<Record<string, unknown>>): { readonly jwt: Readonly<Record<string, unknown>> } => ({
  jwt: { iss: "https://issuer.example", sub: "alice", ...payload },
});

export const HEADER_GROUPS: readonly Group[] = [
  {
    title: "an exact header",
    policies: [allow(when("request.headers[X-Role]", ["admin"]))],
    native: { allow: who(header("X-Role", exact("admin"))) },
    allowed: variants(
      headers("admin"),
      headers("  admin  "),
      headers("admin", "user"),
      headers("user", "admin"),
      { headers: [["X-ROLE", "admin"]] },
      {
        headers: [
          ["x-role", "user"],
          ["X-Role", "admin"],
        ],
      },
    ),
    denied: variants(
      {},
      headers("Admin"),
      headers("admin,user"),
      headers("admin, user"),
      headers("user,admin"),
      headers(""),
      headers("user", "guest"),
      { headers: [["x_role", "admin"]] },
      { headers: [["x-roles", "admin"]] },
    ),
  },
  {
    title: "a header that is denied",
    policies: [deny(when("request.headers[x-role]", ["admin"]))],
    native: { deny: who(header("x-role", exact("admin"))) },
    allowed: variants({}, headers("user"), headers("admin,user")),
    denied: variants(headers("admin"), headers("admin", "user"), headers("user", "admin"), headers("admin", "admin")),
  },
  {
    title: "header patterns",
    policies: [allow(when("request.headers[x-role]", ["ad*", "*min", "*or*"]))],
    native: {
      allow: who(
        oneId(header("x-role", prefix("ad")), header("x-role", suffix("min")), header("x-role", suffix("or*"))),
      ),
    },
    allowed: variants(headers("ad"), headers("vitamin"), headers("x", "adx"), headers("adx", "x"), headers("or*")),
    denied: variants(headers("xad"), headers("minx"), headers("operator"), headers("x,adx"), {}),
  },
  {
    title: "a header that is there",
    policies: [allow(when("request.headers[x-role]", ["*"]))],
    native: { allow: who(present("x-role")) },
    allowed: variants(headers("x"), headers(""), headers("a", "b")),
    denied: variants({}),
  },
  {
    title: "not a header's value",
    policies: [allow(whenNot("request.headers[x-role]", ["guest", "bot*"]))],
    native: { allow: who(noId(header("x-role", exact("guest")), header("x-role", prefix("bot")))) },
    allowed: variants({}, headers("user"), headers("guest,user"), headers("user,bot")),
    denied: variants(
      headers("guest"),
      headers("user", "guest"),
      headers("guest", "user"),
      headers("bot1"),
      headers("x", "bot"),
    ),
  },
  {
    title: "a header that is not there",
    policies: [allow(whenNot("request.headers[x-role]", ["*"]))],
    native: { allow: who(noId(present("x-role"))) },
    allowed: variants({}),
    denied: variants(headers("x"), headers("")),
  },
  {
    title: "a header with one value and without another",
    policies: [allow(when("request.headers[x-role]", ["a", "b"], ["c"]))],
    native: {
      allow: who(
        allIds(oneId(header("x-role", exact("a")), header("x-role", exact("b"))), noId(header("x-role", exact("c")))),
      ),
    },
    allowed: variants(headers("a"), headers("a", "b"), headers("a", "d")),
    denied: variants(headers("a", "c"), headers("c", "a"), headers("d"), {}),
  },
  {
    title: "a header that Envoy joins when it is repeated",
    policies: [allow(when("request.headers[user-agent]", ["good"]))],
    native: { allow: who(header("user-agent", exact("good"))) },
    allowed: variants({ headers: [["user-agent", "good"]] }),
    denied: variants(
      {
        headers: [
          ["user-agent", "good"],
          ["user-agent", "bad"],
        ],
      },
      {
        headers: [
          ["user-agent", "bad"],
          ["user-agent", "good"],
        ],
      },
    ),
  },
  {
    title: "cookies",
    policies: [allow(when("request.headers[cookie]", ["a=1", "*b=2"]))],
    native: { allow: who(oneId(header("cookie", exact("a=1")), header("cookie", suffix("b=2")))) },
    allowed: variants({ headers: [["cookie", "a=1"]] }, { headers: [["cookie", "a=1; b=2"]] }),
    denied: variants({ headers: [["cookie", "b=2; a=1"]] }, {}),
  },
  {
    title: "the host by way of its header",
    policies: [allow(when("request.headers[Host]", ["app.example"]))],
    native: { allow: who(header("Host", exact("app.example"))) },
    allowed: variants({ host: "app.example" }),
    denied: variants({ host: "APP.example" }, { host: "app.example:80" }),
  },
  {
    title: "pseudo-headers",
    policies: [
      allow({
        when: [
          { key: "request.headers[:path]", values: ["/a?x=*"] },
          { key: "request.headers[:method]", values: ["GET"] },
          { key: "request.headers[:authority]", values: ["app.example"] },
        ],
      }),
    ],
    native: {
      allow: who(
        allIds(
          header(":path", prefix("/a?x=")),
          header(":method", exact("GET")),
          header(":authority", exact("app.example")),
        ),
      ),
    },
    allowed: [{ line: "GET /a?x=1" }],
    denied: [{ line: "GET /a" }, { line: "POST /a?x=1" }, { line: "GET /a?x=1", host: "other" }],
  },
  {
    title: "bytes that are not ASCII",
    policies: [allow(when("request.headers[x-role]", ["é*"]))],
    native: { allow: who(header("x-role", prefix("é"))) },
    allowed: variants(headers("\xc3\xa9t\xc3\xa9"), headers("\xc3\xa9\xff")),
    denied: variants(headers("\xe9t\xe9"), headers("e")),
  },
];

const issuer = (matcher: Readonly<Record<string, never>> | ReturnType<typeof exact>): ReturnType<typeof exact> =>
  textClaim("iss", matcher);
const subject = (matcher: ReturnType<typeof exact>): ReturnType<typeof exact> => textClaim("sub", matcher);
const LINE = regex(".+");

export const JWT_GROUPS: readonly Group[] = [
  {
    title: "an exact request principal",
    policies: [allow(from({ requestPrincipals: ["https://issuer.example/alice"] }))],
    native: { allow: who(allIds(issuer(exact("https://issuer.example")), subject(exact("alice")))) },
    allowed: variants(jwt({})),
    denied: variants({}, jwt({ sub: "bob" }), jwt({ iss: "https://issuer.example/x" }), jwt({ sub: undefined })),
  },
  {
    title: "any request principal",
    policies: [allow(from({ requestPrincipals: ["*"] }))],
    native: { allow: who(allIds(issuer(LINE), subject(LINE))) },
    allowed: variants(jwt({})),
    denied: variants({}, jwt({ sub: "" }), jwt({ sub: undefined }), jwt({ iss: undefined })),
  },
  {
    title: "request principal patterns",
    policies: [
      allow(
        from({
          requestPrincipals: ["https://issuer.example/*", "*/bob", "*.corp/carol", "*dave", "acc*", "https://p/e*"],
        }),
      ),
    ],
    native: {
      allow: who(
        oneId(
          allIds(issuer(exact("https://issuer.example")), subject(LINE)),
          allIds(issuer(LINE), subject(exact("bob"))),
          allIds(issuer(suffix(".corp")), subject(exact("carol"))),
          allIds(issuer(LINE), subject(suffix("dave"))),
          allIds(issuer(prefix("acc")), subject(LINE)),
          allIds(issuer(exact("https://p")), subject(prefix("e"))),
        ),
      ),
    },
    allowed: variants(
      jwt({}),
      jwt({ iss: "any", sub: "bob" }),
      jwt({ iss: "https://eu.corp", sub: "carol" }),
      jwt({ iss: "any", sub: "xdave" }),
      jwt({ iss: "accounts", sub: "x" }),
      jwt({ iss: "https://p", sub: "eve" }),
    ),
    denied: variants(
      {},
      jwt({ iss: "any" }),
      jwt({ iss: "corp", sub: "carol" }),
      jwt({ iss: "https://p", sub: "frank" }),
      jwt({ iss: "any", sub: "xbob" }),
    ),
  },
  {
    title: "not a request principal",
    policies: [deny(from({ notRequestPrincipals: ["*"] }))],
    native: { deny: who(noId(allIds(issuer(LINE), subject(LINE)))) },
    allowed: variants(jwt({})),
    denied: variants({}, jwt({ sub: "" })),
  },
  {
    title: "the request principal as a condition, without a slash",
    policies: [allow(when("request.auth.principal", ["self"]))],
    native: { allow: who(allIds(issuer(exact("self")), subject(exact("")))) },
    allowed: variants(jwt({ iss: "self", sub: "" })),
    denied: variants(jwt({ iss: "self" }), jwt({ iss: "self", sub: undefined }), {}),
  },
  {
    title: "audiences",
    policies: [allow(when("request.auth.audiences", ["web", "api-*"]))],
    native: { allow: who(listClaim(["aud"], exact("web"), prefix("api-"))) },
    allowed: variants(jwt({ aud: "web" }), jwt({ aud: ["x", "api-1"] }), jwt({ aud: ["web"] })),
    denied: variants(jwt({ aud: "webs" }), jwt({ aud: [] }), jwt({ aud: ["x"] }), jwt({}), {}),
  },
  {
    title: "the presenter",
    policies: [allow(when("request.auth.presenter", ["app"], ["bad"]))],
    native: { allow: who(allIds(listClaim(["azp"], exact("app")), noId(listClaim(["azp"], exact("bad"))))) },
    allowed: variants(jwt({ azp: "app" })),
    denied: variants(jwt({ azp: "bad" }), jwt({ azp: ["app", "bad"] }), jwt({}), {}),
  },
  {
    title: "a claim",
    policies: [allow(when("request.auth.claims[groups]", ["admin", "*-ops"]))],
    native: { allow: who(listClaim(["groups"], exact("admin"), suffix("-ops"))) },
    allowed: variants(jwt({ groups: "admin" }), jwt({ groups: ["x", "eu-ops"] }), jwt({ groups: [1, true, "admin"] })),
    denied: variants(
      jwt({ groups: "admins" }),
      jwt({ groups: [["admin"]] }),
      jwt({ groups: { admin: "admin" } }),
      jwt({ groups: 7 }),
      jwt({ Groups: "admin" }),
      jwt({}),
      {},
    ),
  },
  {
    title: "a claim that is a number, a boolean or nothing",
    policies: [allow(when("request.auth.claims[level]", ["*"]))],
    native: { allow: who(listClaim(["level"], LINE)) },
    allowed: variants(jwt({ level: "7" }), jwt({ level: ["", "x"] })),
    denied: variants(
      jwt({ level: 7 }),
      jwt({ level: true }),
      jwt({ level: null }),
      jwt({ level: "" }),
      jwt({ level: [7] }),
      jwt({ level: "a\nb" }),
    ),
  },
  {
    title: "a claim inside another",
    policies: [allow(when("request.auth.claims[realm][roles]", ["admin"]))],
    native: { allow: who(listClaim(["realm", "roles"], exact("admin"))) },
    allowed: variants(jwt({ realm: { roles: ["user", "admin"] } }), jwt({ realm: { roles: "admin" } })),
    denied: variants(jwt({ realm: ["admin"] }), jwt({ roles: "admin" }), jwt({ "realm][roles": "admin" }), jwt({})),
  },
  {
    title: "not a claim's value",
    policies: [deny(whenNot("request.auth.claims[https://x.example/tier]", ["gold"]))],
    native: { deny: who(noId(listClaim(["https://x.example/tier"], exact("gold")))) },
    allowed: variants(jwt({ "https://x.example/tier": "gold" }), jwt({ "https://x.example/tier": ["tin", "gold"] })),
    denied: variants(jwt({ "https://x.example/tier": "tin" }), jwt({}), {}),
  },
];
