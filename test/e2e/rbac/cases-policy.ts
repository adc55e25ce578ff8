/** How policies work together: actions, order, dry run, selectors, namespaces, and policies without rules. */
import { allow, deny, from, lines, to, variants, when, type Group, type PolicySpec } from "./group.ts";
import { allIds, any, exact, header, method, path, peer, prefix, regex, type NativeRule } from "./native.ts";

const NEVER: NativeRule = { may: { not_rule: any }, who: { not_id: any } };
const rehearsed = (policy: PolicySpec, dryRun = "true"): PolicySpec => ({
  ...policy,
  name: `dry-${policy.name}`,
  dryRun,
});
const inRoot = (policy: PolicySpec): PolicySpec => ({ ...policy, root: true });
const selecting = (policy: PolicySpec, matchLabels: Readonly<Record<string, string>>): PolicySpec => ({
  ...policy,
  name: `${policy.name}-selecting`,
  spec: { selector: { matchLabels }, ...policy.spec },
});
const getA = path(exact("/a"));
const ROLE_A = when("request.headers[x-role]", ["a"]);

export const POLICY_GROUPS: readonly Group[] = [
  { title: "no policy at all", policies: [], native: {}, allowed: lines(["GET /", "POST //x"]), denied: [] },
  {
    title: "a policy without rules allows nothing",
    policies: [{ name: "nothing", spec: {} }],
    native: { allow: [NEVER] },
    allowed: [],
    denied: lines(["GET /", "PUT /x"]),
  },
  {
    title: "an empty list of rules allows nothing",
    policies: [allow()],
    native: { allow: [NEVER] },
    allowed: [],
    denied: lines(["GET /"]),
  },
  {
    title: "an empty rule allows everything",
    policies: [allow({})],
    native: { allow: [{}] },
    allowed: lines(["GET /", "POST /x"]),
    denied: [],
  },
  {
    title: "an empty rule denies everything",
    policies: [deny({})],
    native: { deny: [{}] },
    allowed: [],
    denied: lines(["GET /", "POST /x"]),
  },
  {
    title: "an empty list of conditions asks for nothing",
    policies: [allow({ when: [], ...to({ methods: ["GET"] }) })],
    native: { allow: [{ may: method("GET") }] },
    allowed: lines(["GET /"]),
    denied: lines(["POST /"]),
  },
  {
    title: "DENY is stronger than ALLOW",
    policies: [allow(to({ methods: ["GET"] })), deny(to({ paths: ["/a"] }))],
    native: { allow: [{ may: method("GET") }], deny: [{ may: getA }] },
    allowed: lines(["GET /b"]),
    denied: lines(["GET /a", "POST /b", "POST /a"]),
  },
  {
    title: "only DENY leaves the rest alone",
    policies: [deny(to({ paths: ["/a"] }), to({ methods: ["DELETE"] }))],
    native: { deny: [{ may: getA }, { may: method("DELETE") }] },
    allowed: lines(["GET /b", "POST /"]),
    denied: lines(["GET /a", "DELETE /b"]),
  },
  {
    title: "one of many rules is enough",
    policies: [allow(to({ paths: ["/a"] }), to({ paths: ["/b/*"] }), ROLE_A)],
    native: { allow: [{ may: getA }, { may: path(prefix("/b/")) }, { who: header("x-role", exact("a")) }] },
    allowed: [...lines(["GET /a", "GET /b/1"]), { line: "GET /c", headers: [["x-role", "a"]] }],
    denied: lines(["GET /b", "GET /c"]),
  },
  {
    title: "from, to and when of one rule",
    policies: [
      allow({
        ...from({ namespaces: ["a"] }),
        ...to({ methods: ["GET"] }),
        when: [
          { key: "request.headers[x-role]", values: ["a"] },
          { key: "request.headers[x-team]", values: ["t"] },
        ],
      }),
    ],
    native: {
      allow: [
        {
          may: method("GET"),
          who: allIds(peer(regex(".*/ns/a/.*")), header("x-role", exact("a")), header("x-team", exact("t"))),
        },
      ],
    },
    allowed: variants({
      client: { uri: "spiffe://cluster.local/ns/a/sa/x" },
      headers: [
        ["x-role", "a"],
        ["x-team", "t"],
      ],
    }),
    denied: [
      ...variants(
        {
          client: { uri: "spiffe://cluster.local/ns/b/sa/x" },
          headers: [
            ["x-role", "a"],
            ["x-team", "t"],
          ],
        },
        { client: { uri: "spiffe://cluster.local/ns/a/sa/x" }, headers: [["x-role", "a"]] },
        {
          headers: [
            ["x-role", "a"],
            ["x-team", "t"],
          ],
        },
      ),
      {
        line: "POST /",
        client: { uri: "spiffe://cluster.local/ns/a/sa/x" },
        headers: [
          ["x-role", "a"],
          ["x-team", "t"],
        ],
      },
    ],
  },
  {
    title: "the root namespace's policies count as well",
    policies: [inRoot(deny(to({ paths: ["/a"] }))), allow(to({ methods: ["GET"] }))],
    native: { deny: [{ may: getA }], allow: [{ may: method("GET") }] },
    allowed: lines(["GET /b"]),
    denied: lines(["GET /a", "POST /b"]),
  },
  {
    title: "ALLOW rules of both namespaces add up",
    policies: [inRoot(allow(to({ paths: ["/a"] }))), allow(to({ paths: ["/b"] }))],
    native: { allow: [{ may: getA }, { may: path(exact("/b")) }] },
    allowed: lines(["GET /a", "GET /b"]),
    denied: lines(["GET /c"]),
  },
  {
    title: "a service account in a root policy is of the root namespace",
    policies: [inRoot(allow(from({ serviceAccounts: ["web"] })))],
    native: { allow: [{ who: peer(regex("spiffe://.+/ns/istio-system/(.+/|)sa/web(/.+)?")) }] },
    allowed: variants({ client: { uri: "spiffe://cluster.local/ns/istio-system/sa/web" } }),
    denied: variants({ client: { uri: "spiffe://cluster.local/ns/team-a/sa/web" } }),
  },
  {
    title: "selectors",
    policies: [
      selecting(deny(to({ paths: ["/a"] })), { app: "web" }),
      selecting({ ...deny(to({ paths: ["/b"] })), name: "other" }, { app: "db" }),
      selecting({ ...deny(to({ paths: ["/c"] })), name: "both" }, { app: "web", version: "v1" }),
      selecting({ ...deny(to({ paths: ["/d"] })), name: "missing" }, { app: "web", tier: "x" }),
      inRoot(selecting({ ...deny(to({ paths: ["/e"] })), name: "root" }, { version: "v1" })),
      selecting({ ...deny(to({ paths: ["/f"] })), name: "all" }, {}),
    ],
    native: { deny: ["/a", "/c", "/e", "/f"].map((text) => ({ may: path(exact(text)) })) },
    allowed: lines(["GET /b", "GET /d"]),
    denied: lines(["GET /a", "GET /c", "GET /e", "GET /f"]),
  },
  {
    title: "an ALLOW policy for other workloads does not close this one",
    policies: [selecting(allow(to({ paths: ["/a"] })), { app: "db" })],
    native: {},
    allowed: lines(["GET /a", "GET /b"]),
    denied: [],
  },
  {
    title: "AUDIT decides nothing",
    policies: [{ name: "audit", spec: { action: "AUDIT", rules: [{}] } }, deny(to({ paths: ["/a"] }))],
    native: { deny: [{ may: getA }] },
    allowed: lines(["GET /b"]),
    denied: lines(["GET /a"]),
  },
  {
    title: "a dry-run DENY",
    policies: [rehearsed(deny(to({ paths: ["/a"] })))],
    native: { dryDeny: [{ may: getA }] },
    allowed: [
      { line: "GET /a", shadow: "denied" },
      { line: "GET /b", shadow: "allowed" },
    ],
    denied: [],
  },
  {
    title: "a dry-run ALLOW beside one in force",
    policies: [allow(to({ methods: ["GET"] })), rehearsed(allow(to({ paths: ["/a"] })))],
    native: { allow: [{ may: method("GET") }], dryAllow: [{ may: getA }] },
    allowed: [
      { line: "GET /a", shadow: "allowed" },
      { line: "GET /b", shadow: "denied" },
    ],
    denied: lines(["POST /a"]),
  },
  {
    title: "dry-run policies alone",
    policies: [rehearsed(allow(to({ paths: ["/a"] }))), rehearsed(deny(to({ methods: ["PUT"] })), "T")],
    native: { dryAllow: [{ may: getA }], dryDeny: [{ may: method("PUT") }] },
    allowed: [
      { line: "GET /a", shadow: "allowed" },
      { line: "GET /b", shadow: "denied" },
      { line: "PUT /a", shadow: "denied" },
    ],
    denied: [],
  },
  {
    title: "dry run switched off",
    policies: [rehearsed(deny(to({ paths: ["/a"] })), "false")],
    native: { deny: [{ may: getA }] },
    allowed: lines(["GET /b"]),
    denied: lines(["GET /a"]),
  },
  {
    title: "many rules, found by path, host, principal or none of them",
    policies: [
      allow(
        ...Array.from({ length: 30 }, (_, i) => to({ paths: [`/p/${i}`, `/q/${i}/*`] })),
        ...Array.from({ length: 10 }, (_, i) => to({ hosts: [`H${i}.example`], methods: ["GET"] })),
        ...Array.from({ length: 10 }, (_, i) => from({ principals: [`cluster.local/ns/n/sa/s${i}`] })),
        when("request.headers[x-role]", ["a"]),
      ),
    ],
    native: {
      allow: [
        ...Array.from({ length: 30 }, (_, i) => ({
          may: { or_rules: { rules: [path(exact(`/p/${i}`)), path(prefix(`/q/${i}/`))] } },
        })),
        ...Array.from({ length: 10 }, (_, i) => ({
          may: {
            and_rules: {
              rules: [
                { header: { name: ":authority", string_match: { exact: `h${i}.example`, ignore_case: true } } },
                method("GET"),
              ],
            },
          },
        })),
        ...Array.from({ length: 10 }, (_, i) => ({ who: peer(exact(`spiffe://cluster.local/ns/n/sa/s${i}`)) })),
        { who: header("x-role", exact("a")) },
      ],
    },
    allowed: [
      ...lines(["GET /p/0", "GET /p/29", "GET /q/7/x", "GET /q/7/"]),
      { line: "GET /", host: "h3.EXAMPLE" },
      { line: "GET /", client: { uri: "spiffe://cluster.local/ns/n/sa/s9" } },
      { line: "GET /", headers: [["x-role", "a"]] },
    ],
    denied: [
      ...lines(["GET /p/30", "GET /p/2x", "GET /q/7", "GET /q/77/x"]),
      { line: "POST /", host: "h3.example" },
      { line: "GET /", client: { uri: "spiffe://cluster.local/ns/n/sa/s10" } },
    ],
  },
];
