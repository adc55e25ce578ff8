/** What an owner can ask for beyond Istio: `default: deny` and `paths: strict`. No native RBAC says the same. */
import type { PolicyKnobs } from "../../../xds-proxy/src/policy/types.ts";
import { allow, deny, lines, to, variants, when, whenNot, type PolicySpec, type Row } from "./group.ts";

export interface StrictGroup {
  readonly title: string;
  readonly knobs: PolicyKnobs;
  readonly policies: readonly PolicySpec[];
  readonly rows: Readonly<Record<200 | 400 | 403, readonly Row[]>>;
}

const AMBIGUOUS = [
  "GET //admin",
  "GET /x//",
  "GET /./x",
  "GET /x/.",
  "GET /x/../admin",
  "GET /x/..",
  "GET /admin;x=1",
  "GET /x\\admin",
  "GET /x%2Fadmin",
  "GET /x%2fadmin?y",
  "GET /%2e%2e/admin",
  "GET /x%5cadmin",
  "GET /x%5Cadmin",
];
const PLAIN = [
  "GET /x",
  "GET /x/",
  "GET /x.y/..z",
  "GET /.well-known/x",
  "GET /x?a=//;/../%2f",
  "GET /a%20b",
  "GET /a%61",
];

export const STRICT_GROUPS: readonly StrictGroup[] = [
  {
    title: "no ALLOW policy means no",
    knobs: { default: "deny", paths: "istio" },
    policies: [deny(to({ paths: ["/admin"] }))],
    rows: { 200: [], 400: [], 403: lines(["GET /", "GET /admin", "GET //"]) },
  },
  {
    title: "no policy at all means no",
    knobs: { default: "deny", paths: "strict" },
    policies: [],
    rows: { 200: [], 400: [], 403: lines(["GET /", "GET //"]) },
  },
  {
    title: "an ALLOW policy for another workload means no",
    knobs: { default: "deny", paths: "istio" },
    policies: [{ name: "other", spec: { selector: { matchLabels: { app: "db" } }, rules: [{}] } }],
    rows: { 200: [], 400: [], 403: lines(["GET /"]) },
  },
  {
    title: "a dry-run ALLOW policy means no",
    knobs: { default: "deny", paths: "istio" },
    policies: [{ ...allow({}), dryRun: "true" }],
    rows: { 200: [], 400: [], 403: lines(["GET /"]) },
  },
  {
    title: "an ALLOW policy still allows",
    knobs: { default: "deny", paths: "istio" },
    policies: [allow(to({ methods: ["GET"] }))],
    rows: { 200: lines(["GET /", "GET //x"]), 400: [], 403: lines(["POST /"]) },
  },
  {
    title: "ambiguous paths before a rule that allows a path",
    knobs: { default: "istio", paths: "strict" },
    policies: [allow(to({ paths: ["/*"] }))],
    rows: { 200: lines(PLAIN), 400: lines(AMBIGUOUS), 403: [] },
  },
  {
    title: "ambiguous paths before a rule that denies a path",
    knobs: { default: "istio", paths: "strict" },
    policies: [deny(to({ notPaths: ["/x*", "/.*", "/a*"] }))],
    rows: { 200: lines(PLAIN), 400: lines(AMBIGUOUS), 403: lines(["GET /zoo"]) },
  },
  {
    title: "ambiguous paths where no rule looks at paths",
    knobs: { default: "istio", paths: "strict" },
    policies: [allow(to({ methods: ["GET"] })), { ...deny(to({ paths: ["/x"] })), name: "dry", dryRun: "true" }],
    rows: { 200: lines(["GET /x", "GET //x", "GET /x/../y", "GET /x;y"]), 400: [], 403: lines(["POST //x"]) },
  },
  {
    title: "ambiguous paths before a condition on :path",
    knobs: { default: "istio", paths: "strict" },
    policies: [allow(when("request.headers[:path]", ["*"]))],
    rows: { 200: lines(["GET /x"]), 400: lines(["GET //x"]), 403: [] },
  },
  {
    title: "other conditions are as ever",
    knobs: { default: "deny", paths: "strict" },
    policies: [allow({ ...to({ paths: ["/x"] }), ...whenNot("request.headers[x-role]", ["guest"]) })],
    rows: {
      200: lines(["GET /x"]),
      400: lines(["GET /x/."]),
      403: [...lines(["GET /y"]), { line: "GET /x", headers: [["x-role", "guest"]] }, ...variants({})],
    },
  },
];
