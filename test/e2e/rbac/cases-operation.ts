/** Methods, hosts, ports and paths. */
import { allow, deny, lines, to, variants, type Group } from "./group.ts";
import {
  allOf,
  anyCase,
  destinationIp,
  exact,
  header,
  host,
  method,
  noneOf,
  oneOf,
  path,
  port,
  prefix,
  present,
  regex,
  suffix,
  template,
} from "./native.ts";
import { when, whenNot } from "./group.ts";

const ALWAYS_A_METHOD = present(":method");

export const OPERATION_GROUPS: readonly Group[] = [
  {
    title: "a method",
    policies: [allow(to({ methods: ["GET"] }))],
    native: { allow: [{ may: method("GET") }] },
    allowed: lines(["GET /", "GET /a?b"]),
    denied: lines(["POST /", "HEAD /"]),
  },
  {
    title: "method patterns",
    policies: [allow(to({ methods: ["P*", "*ETE"] }))],
    native: { allow: [{ may: oneOf(header(":method", prefix("P")), header(":method", suffix("ETE"))) }] },
    allowed: lines(["POST /", "PUT /", "PATCH /", "DELETE /"]),
    denied: lines(["GET /", "OPTIONS /"]),
  },
  {
    title: "any method",
    policies: [allow(to({ methods: ["*"] }))],
    native: { allow: [{ may: ALWAYS_A_METHOD }] },
    allowed: lines(["GET /", "PURGE /"]),
    denied: [],
  },
  {
    title: "not a method",
    policies: [allow(to({ notMethods: ["GET", "HEAD"] }))],
    native: { allow: [{ may: noneOf(method("GET"), method("HEAD")) }] },
    allowed: lines(["POST /", "PUT /"]),
    denied: lines(["GET /", "HEAD /"]),
  },
  {
    title: "an exact host",
    policies: [allow(to({ hosts: ["app.example"] }))],
    native: { allow: [{ may: host(exact("app.example")) }] },
    allowed: variants({ host: "app.example" }, { host: "APP.Example" }),
    denied: variants(
      { host: "app.example:80" },
      { host: "app.example:8080" },
      { host: "app.example." },
      { host: "x.app.example" },
      { host: "app.example.evil" },
      { host: "" },
    ),
  },
  {
    title: "host patterns in other letters",
    policies: [allow(to({ hosts: ["*.Example", "APP.*"] }))],
    native: { allow: [{ may: oneOf(host(suffix(".Example")), host(prefix("APP."))) }] },
    allowed: variants({ host: "x.example" }, { host: "x.EXAMPLE" }, { host: "app.test:80" }, { host: "a.b.example" }),
    denied: variants({ host: "example" }, { host: "x.example:80" }, { host: "x.example." }, { host: "xapp.test" }),
  },
  {
    title: "any host, and a host with port",
    policies: [allow(to({ hosts: ["*"], methods: ["GET"] }, { hosts: ["app.example:8443"], methods: ["POST"] }))],
    native: {
      allow: [
        {
          may: oneOf(
            allOf(present(":authority"), method("GET")),
            allOf(host(exact("app.example:8443")), method("POST")),
          ),
        },
      ],
    },
    allowed: [...variants({ host: "anything" }, { host: "[::1]:80" }), { line: "POST /", host: "App.Example:8443" }],
    denied: [
      { line: "POST /", host: "app.example" },
      { line: "POST /", host: "app.example:443" },
    ],
  },
  {
    title: "not a host",
    policies: [deny(to({ notHosts: ["app.example", "*.app.example"] }))],
    native: { deny: [{ may: noneOf(host(exact("app.example")), host(suffix(".app.example"))) }] },
    allowed: variants({ host: "app.example" }, { host: "API.APP.EXAMPLE" }),
    denied: variants({ host: "app.example:80" }, { host: "other" }, { host: "app.example." }),
  },
  {
    title: "ports",
    policies: [allow(to({ ports: ["8080", "443"] }))],
    native: { allow: [{ may: oneOf(port(8080), port(443)) }] },
    allowed: variants({ to: "10.9.9.9:8080" }, { to: "10.9.9.9:443" }),
    denied: variants({ to: "10.9.9.9:80" }, { to: "10.9.9.9:80", host: "app.example:8080" }),
  },
  {
    title: "not a port",
    policies: [allow(to({ notPorts: ["9090"] }))],
    native: { allow: [{ may: noneOf(port(9090)) }] },
    allowed: variants({ to: "10.9.9.9:80" }),
    denied: variants({ to: "10.9.9.9:9090" }),
  },
  {
    title: "the port as a condition",
    policies: [allow(when("destination.port", ["8080"], ["9090"]))],
    native: { allow: [{ may: allOf(port(8080), noneOf(port(9090))) }] },
    allowed: variants({ to: "10.9.9.9:8080" }),
    denied: variants({ to: "10.9.9.9:9090" }, { to: "10.9.9.9:80" }),
  },
  {
    title: "the destination address",
    policies: [allow(when("destination.ip", ["10.9.0.0/16", "192.0.2.1", "2001:db8::/32"]))],
    native: {
      allow: [
        { may: oneOf(destinationIp("10.9.0.0", 16), destinationIp("192.0.2.1", 32), destinationIp("2001:db8::", 32)) },
      ],
    },
    allowed: variants(
      { to: "10.9.9.9:80" },
      { to: "192.0.2.1:80" },
      { from: "[2001:db8::9]:1", to: "[2001:db8:1::1]:80" },
    ),
    denied: variants(
      { to: "10.8.9.9:80" },
      { to: "192.0.2.2:80" },
      { from: "[2001:db8::9]:1", to: "[2001:db9::1]:80" },
    ),
  },
  {
    title: "not the destination address",
    policies: [deny(whenNot("destination.ip", ["10.9.9.0/25"]))],
    native: { deny: [{ may: noneOf(destinationIp("10.9.9.0", 25)) }] },
    allowed: variants({ to: "10.9.9.127:80" }),
    denied: variants({ to: "10.9.9.128:80" }, { from: "[2001:db8::9]:1", to: "[2001:db8::1]:80" }),
  },
  {
    title: "an exact path",
    policies: [allow(to({ paths: ["/admin"] }))],
    native: { allow: [{ may: path(exact("/admin")) }] },
    allowed: lines(["GET /admin", "GET /admin?x=1", "GET /admin?", "GET /admin?/other"]),
    denied: lines([
      "GET /admin/",
      "GET //admin",
      "GET /./admin",
      "GET /x/../admin",
      "GET /Admin",
      "GET /%61dmin",
      "GET /admin;x=1",
      "GET /admin%2f",
      "GET /admin%3f",
      "GET /admi",
    ]),
  },
  {
    title: "a path that is denied",
    policies: [deny(to({ paths: ["/admin", "/admin/*"] }))],
    native: { deny: [{ may: oneOf(path(exact("/admin")), path(prefix("/admin/"))) }] },
    allowed: lines([
      "GET /",
      "GET //admin",
      "GET /x/../admin",
      "GET /admin;x",
      "GET /admin%2fx",
      "GET /./admin",
      "GET /adminx",
    ]),
    denied: lines(["GET /admin", "GET /admin/", "GET /admin/x?y", "GET /admin/..", "GET /admin//x", "GET /admin/;x"]),
  },
  {
    title: "path patterns",
    policies: [allow(to({ paths: ["/api/*", "*.css", "/a*b"] }))],
    native: { allow: [{ may: oneOf(path(prefix("/api/")), path(suffix(".css")), path(exact("/a*b"))) }] },
    allowed: lines(["GET /api/", "GET /api/v1/x?y=z", "GET /x/y.css", "GET /y.css?v=1", "GET /a*b", "GET /api/../x"]),
    denied: lines(["GET /api", "GET /apis/", "GET /x.css/", "GET /x?.css", "GET /axb", "GET /%61pi/"]),
  },
  {
    title: "any path",
    policies: [allow(to({ paths: ["*"] }))],
    native: { allow: [{ may: path(regex(".+")) }] },
    allowed: lines(["GET /", "GET /a?b", "GET /%C3%A9"]),
    denied: [],
  },
  {
    title: "not a path",
    policies: [allow(to({ paths: ["/api/*"], notPaths: ["/api/private/*", "*/secret"] }))],
    native: {
      allow: [{ may: allOf(path(prefix("/api/")), noneOf(path(prefix("/api/private/")), path(suffix("/secret")))) }],
    },
    allowed: lines(["GET /api/x", "GET /api/private", "GET /api/x/secret/", "GET /api//private/x"]),
    denied: lines(["GET /api/private/x", "GET /api/x/secret", "GET /api/secret?x", "GET /other"]),
  },
  {
    title: "a path that Envoy normalizes",
    normalize: true,
    policies: [deny(to({ paths: ["/admin", "/admin/*"] }))],
    native: { deny: [{ may: oneOf(path(exact("/admin")), path(prefix("/admin/"))) }] },
    allowed: lines(["GET /x", "GET /admin/../x", "GET /admin;x", "GET /admin%2fx"]),
    denied: lines(["GET /x/../admin", "GET /./admin", "GET /%61dmin", "GET /x/%2e%2e/admin"]),
  },
  {
    title: "one segment of a template",
    policies: [allow(to({ paths: ["/users/{*}/orders", "/v1/{*}", "/e=f/{*}"] }))],
    native: { allow: [{ may: oneOf(template("/users/*/orders"), template("/v1/*"), template("/e=f/*")) }] },
    allowed: lines([
      "GET /users/7/orders",
      "GET /users/a.b-c~d/orders?x=1",
      "GET /users/a%2fb/orders",
      "GET /users/;/orders",
      "GET /users/a=b*/orders",
      "GET /v1/%",
      "GET /e=f/g",
      "GET /v1/x",
      "GET /v1/..",
    ]),
    denied: lines([
      "GET /users//orders",
      "GET /users/a|b/orders",
      "GET /users/a/b/orders",
      "GET /users/7/orders/",
      "GET /users/7/Orders",
      "GET /v1/",
      "GET /v1",
      "GET /v1/x/",
      'GET /v1/"',
    ]),
  },
  {
    title: "any segments of a template",
    policies: [allow(to({ paths: ["/files/{**}", "/a/{*}/{**}/end", "/s/{**}/"] }))],
    native: { allow: [{ may: oneOf(template("/files/**"), template("/a/*/**/end"), template("/s/**/")) }] },
    allowed: lines([
      "GET /files/",
      "GET /files/x/y//z",
      "GET /a/b/c/end",
      "GET /a/b//end",
      "GET /a/b/c/d/end?x",
      "GET /s//",
      "GET /s/x/",
    ]),
    denied: lines([
      "GET /files",
      "GET /files/a[b]",
      "GET /a/b/end",
      "GET /a//c/end",
      "GET /a/b/c/end/",
      "GET /s/",
      "GET /s/x",
    ]),
  },
  {
    title: "not a template",
    policies: [deny(to({ notPaths: ["/ok/{*}"] }))],
    native: { deny: [{ may: noneOf(template("/ok/*")) }] },
    allowed: lines(["GET /ok/1"]),
    denied: lines(["GET /ok/1/2", "GET /ok/", "GET /ok/a^b"]),
  },
  {
    title: "the server name of TLS",
    policies: [allow(when("connection.sni", ["app.example", "*.internal"]))],
    native: {
      allow: [
        { may: oneOf({ requested_server_name: exact("app.example") }, { requested_server_name: suffix(".internal") }) },
      ],
    },
    allowed: variants({ client: "none", sni: "app.example" }, { client: "none", sni: "x.internal" }),
    denied: variants({ client: "none", sni: "other.example" }, { client: "none" }, {}),
  },
  {
    title: "any server name",
    policies: [allow(when("connection.sni", ["*"], ["no.example"]))],
    native: {
      allow: [
        {
          may: allOf({ requested_server_name: regex(".+") }, noneOf({ requested_server_name: exact("no.example") })),
        },
      ],
    },
    allowed: variants({ client: "none", sni: "app.example" }),
    denied: variants({ client: "none", sni: "no.example" }, { client: "none" }, {}),
  },
  {
    title: "several members of one operation, and several operations",
    policies: [
      allow(
        to({ methods: ["GET"], paths: ["/a"], hosts: ["h"], ports: ["8080"] }, { methods: ["POST"], notPaths: ["/a"] }),
      ),
    ],
    native: {
      allow: [
        {
          may: oneOf(
            allOf(method("GET"), path(exact("/a")), header(":authority", anyCase(exact("h"))), port(8080)),
            allOf(method("POST"), noneOf(path(exact("/a")))),
          ),
        },
      ],
    },
    allowed: [{ line: "GET /a", host: "h", to: "10.9.9.9:8080" }, { line: "POST /b" }],
    denied: [
      { line: "GET /b", host: "h", to: "10.9.9.9:8080" },
      { line: "GET /a", host: "g", to: "10.9.9.9:8080" },
      { line: "GET /a", host: "h", to: "10.9.9.9:8081" },
      { line: "POST /a", host: "h", to: "10.9.9.9:8080" },
    ],
  },
];
