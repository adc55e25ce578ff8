import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import { policyDocument } from "../../policy/arbitraries.ts";
import { filterParse } from "./engine.ts";

type Json = Readonly<Record<string, unknown>>;

interface Parts {
  readonly document?: Json;
  readonly metadata?: Json;
  readonly spec?: Json;
}

function documentOf({ document, metadata, spec }: Parts): string {
  return JSON.stringify({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "p", namespace: "team-a", ...metadata },
    spec: { ...spec },
    ...document,
  });
}

const rules = (...list: readonly unknown[]): Parts => ({ spec: { rules: list } });
const source = (fields: Json): Parts => rules({ from: [{ source: fields }] });
const operation = (fields: Json): Parts => rules({ to: [{ operation: fields }] });
const condition = (fields: Json): Parts => rules({ when: [fields] });
const dryRun = (value: string, spec: Json = {}): Parts => ({
  metadata: { annotations: { "istio.io/dry-run": value } },
  spec,
});

const SOURCE = "spec.rules[0].from[0].source";
const OPERATION = "spec.rules[0].to[0].operation";
const WHEN = "spec.rules[0].when[0]";

/** What is refused, the code, and the path. */
const REFUSED: readonly (readonly [string, Parts, "PAYLOAD" | "UNSUPPORTED", string])[] = [
  ["another version", { document: { apiVersion: "security.istio.io/v1beta1" } }, "UNSUPPORTED", "apiVersion"],
  ["another group", { document: { apiVersion: "example.com/v1" } }, "PAYLOAD", "apiVersion"],
  ["another kind", { document: { kind: "PeerAuthentication" } }, "PAYLOAD", "kind"],
  ["an unknown member", { document: { status: {} } }, "PAYLOAD", "status"],
  ["no spec", { document: { spec: undefined } }, "PAYLOAD", "spec"],
  ["a spec that is a list", { document: { spec: [] } }, "PAYLOAD", "spec"],
  ["no name", { metadata: { name: undefined } }, "PAYLOAD", "metadata.name"],
  ["an empty namespace", { metadata: { namespace: "" } }, "PAYLOAD", "metadata.namespace"],
  ["a number as a label", { metadata: { labels: { a: 1 } } }, "PAYLOAD", "metadata.labels.a"],
  ["what the API server adds", { metadata: { uid: "x" } }, "PAYLOAD", "metadata.uid"],
  ["a dry run that is no boolean", dryRun("yes"), "PAYLOAD", "metadata.annotations.istio.io/dry-run"],
  ["a dry run of AUDIT", dryRun("true", { action: "AUDIT" }), "PAYLOAD", "metadata.annotations.istio.io/dry-run"],
  ["an unknown member of spec", { spec: { rule: [] } }, "PAYLOAD", "spec.rule"],
  ["CUSTOM", { spec: { action: "CUSTOM" } }, "UNSUPPORTED", "spec.action"],
  ["a provider", { spec: { provider: { name: "x" } } }, "UNSUPPORTED", "spec.provider"],
  ["targetRef", { spec: { targetRef: {} } }, "UNSUPPORTED", "spec.targetRef"],
  ["targetRefs", { spec: { targetRefs: [] } }, "UNSUPPORTED", "spec.targetRefs"],
  ["an unknown action", { spec: { action: "allow" } }, "PAYLOAD", "spec.action"],
  ["an action as a number", { spec: { action: 1 } }, "PAYLOAD", "spec.action"],
  ["DENY without rules", { spec: { action: "DENY", rules: [] } }, "PAYLOAD", "spec.rules"],
  ["rules that are null", { spec: { rules: null } }, "PAYLOAD", "spec.rules"],
  ["a rule that is null", rules(null), "PAYLOAD", "spec.rules[0]"],
  ["an unknown member of a rule", rules({}, { form: [] }), "PAYLOAD", "spec.rules[1].form"],
  [
    "an unknown selector",
    { spec: { selector: { matchExpressions: [] } } },
    "PAYLOAD",
    "spec.selector.matchExpressions",
  ],
  [
    "a wildcard selector",
    { spec: { selector: { matchLabels: { a: "*" } } } },
    "PAYLOAD",
    "spec.selector.matchLabels.a",
  ],
  ["an empty from", rules({ from: [] }), "PAYLOAD", "spec.rules[0].from"],
  ["a from without source", rules({ from: [{}] }), "PAYLOAD", SOURCE],
  ["an empty source", source({}), "PAYLOAD", SOURCE],
  ["a source with empty lists", source({ principals: [] }), "PAYLOAD", SOURCE],
  ["an unknown source field", source({ principal: ["x"] }), "PAYLOAD", `${SOURCE}.principal`],
  ["ipBlocks", source({ ipBlocks: ["10.0.0.0/8"] }), "UNSUPPORTED", `${SOURCE}.ipBlocks`],
  ["notIpBlocks", source({ notIpBlocks: ["10.0.0.0/8"] }), "UNSUPPORTED", `${SOURCE}.notIpBlocks`],
  ["an empty value", source({ principals: ["a", ""] }), "PAYLOAD", `${SOURCE}.principals[1]`],
  ["a value that is a number", source({ principals: [1] }), "PAYLOAD", `${SOURCE}.principals[0]`],
  ["a text instead of a list", source({ principals: "a" }), "PAYLOAD", `${SOURCE}.principals`],
  ["a control character", source({ namespaces: ["a\n"] }), "PAYLOAD", `${SOURCE}.namespaces[0]`],
  [
    "service accounts beside principals",
    source({ serviceAccounts: ["a"], principals: ["b"] }),
    "PAYLOAD",
    `${SOURCE}.serviceAccounts`,
  ],
  ["a wildcard service account", source({ serviceAccounts: ["a*"] }), "PAYLOAD", `${SOURCE}.serviceAccounts[0]`],
  [
    "a service account of three parts",
    source({ serviceAccounts: ["a/b/c"] }),
    "PAYLOAD",
    `${SOURCE}.serviceAccounts[0]`,
  ],
  [
    "seventeen service accounts",
    source({ serviceAccounts: Array.from({ length: 17 }, () => "a") }),
    "PAYLOAD",
    `${SOURCE}.serviceAccounts`,
  ],
  ["a trust domain with a slash", source({ trustDomains: ["a/b"] }), "PAYLOAD", `${SOURCE}.trustDomains[0]`],
  ["a wildcard inside a trust domain", source({ trustDomains: ["a*b"] }), "PAYLOAD", `${SOURCE}.trustDomains[0]`],
  ["an address of five parts", source({ remoteIpBlocks: ["1.2.3.4.5"] }), "PAYLOAD", `${SOURCE}.remoteIpBlocks[0]`],
  ["33 bits", source({ remoteIpBlocks: ["10.0.0.0/33"] }), "PAYLOAD", `${SOURCE}.remoteIpBlocks[0]`],
  ["an empty operation", operation({}), "PAYLOAD", OPERATION],
  ["an unknown operation field", operation({ verbs: ["GET"] }), "PAYLOAD", `${OPERATION}.verbs`],
  ["a port as a number", operation({ ports: [80] }), "PAYLOAD", `${OPERATION}.ports[0]`],
  ["a port that is too large", operation({ ports: ["65536"] }), "PAYLOAD", `${OPERATION}.ports[0]`],
  ["a port with a leading zero", operation({ notPorts: ["080"] }), "PAYLOAD", `${OPERATION}.notPorts[0]`],
  ["braces in a path", operation({ paths: ["/a{b}"] }), "PAYLOAD", `${OPERATION}.paths[0]`],
  ["a wildcard after {**}", operation({ paths: ["/{**}/{*}"] }), "PAYLOAD", `${OPERATION}.paths[0]`],
  ["a wildcard within a segment", operation({ paths: ["/a{*}"] }), "PAYLOAD", `${OPERATION}.paths[0]`],
  ["an empty segment in a template", operation({ paths: ["//{*}"] }), "PAYLOAD", `${OPERATION}.paths[0]`],
  ["a template without a leading slash", operation({ paths: ["a/{*}"] }), "PAYLOAD", `${OPERATION}.paths[0]`],
  ["a plain * in a template", operation({ notPaths: ["/*/{*}"] }), "PAYLOAD", `${OPERATION}.notPaths[0]`],
  ["a condition without key", condition({ values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  ["a condition without values", condition({ key: "remote.ip" }), "PAYLOAD", `${WHEN}.values`],
  ["a condition with empty values", condition({ key: "remote.ip", values: [] }), "PAYLOAD", `${WHEN}.values`],
  ["an unknown member of a condition", condition({ key: "remote.ip", value: [] }), "PAYLOAD", `${WHEN}.value`],
  ["an unknown key", condition({ key: "request.body", values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  ["source.ip", condition({ key: "source.ip", values: ["10.0.0.1"] }), "UNSUPPORTED", `${WHEN}.key`],
  [
    "experimental keys",
    condition({ key: "experimental.envoy.filters.a[b]", values: ["c"] }),
    "UNSUPPORTED",
    `${WHEN}.key`,
  ],
  ["a header without name", condition({ key: "request.headers[]", values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  ["a header with two names", condition({ key: "request.headers[a][b]", values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  ["a header that is no token", condition({ key: "request.headers[a b]", values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  ["a claim with open brackets", condition({ key: "request.auth.claims[a", values: ["a"] }), "PAYLOAD", `${WHEN}.key`],
  [
    "a claim in nested brackets",
    condition({ key: "request.auth.claims[a[b]]", values: ["a"] }),
    "PAYLOAD",
    `${WHEN}.key`,
  ],
  [
    "an address that is none",
    condition({ key: "destination.ip", notValues: ["x"] }),
    "PAYLOAD",
    `${WHEN}.notValues[0]`,
  ],
  ["a port that is none", condition({ key: "destination.port", values: ["x"] }), "PAYLOAD", `${WHEN}.values[0]`],
];

const ACCEPTED: readonly (readonly [string, Parts])[] = [
  ["nothing but a name", {}],
  ["labels and annotations", { metadata: { labels: { a: "b" }, annotations: { c: "d" } } }],
  ["an empty rule", rules({})],
  ["an empty selector", { spec: { selector: { matchLabels: {} } } }],
  ["AUDIT without rules", { spec: { action: "AUDIT" } }],
  ["dry run off", dryRun("FALSE", { action: "DENY", rules: [{}] })],
  ["templates", operation({ paths: ["/{*}", "/a=b/{**}/", "/{*}/x/{**}/y"] })],
  ["every kind of address", source({ remoteIpBlocks: ["10.0.0.1", "::1", "::ffff:1.2.3.4/96", "1::2:3/0"] })],
  ["claims in claims", condition({ key: "request.auth.claims[a.b][c/d]", values: ["x"] })],
  ["a pseudo-header", condition({ key: "request.headers[:path]", notValues: ["x"] })],
];

describe("an AuthorizationPolicy is refused for", () => {
  it.each(REFUSED)("%s", (_, parts, code, where) => {
    const payload = Buffer.from(documentOf(parts));
    expect(filterParse(payload), "filter").toEqual({ code, where });
    expect(parsePolicy(payload).faults[0], "command line").toMatchObject({ code, where });
  });

  it("anything that is not a JSON object", () => {
    for (const text of ["", "[]", "null", "{", '{"a":1}{}', '{"kind":"a","kind":"b"}', "\ufeff{}"]) {
      expect(filterParse(Buffer.from(text)).code, text).toBe("PAYLOAD");
      expect(parsePolicy(Buffer.from(text)).faults[0]?.code, text).toBe("PAYLOAD");
    }
  });
});

describe("an AuthorizationPolicy is accepted with", () => {
  it.each(ACCEPTED)("%s", (_, parts) => {
    const payload = Buffer.from(documentOf(parts));
    expect(filterParse(payload), "filter").toEqual({ code: "OK", where: "" });
    expect(parsePolicy(payload).faults, "command line").toEqual([]);
  });
});

describe("a damaged policy", () => {
  it("gets the same verdict from both, and never a trap", () => {
    const damaged = fc
      .tuple(policyDocument, fc.infiniteStream(fc.nat()))
      .map(([document, dice]) => damage(document, dice));
    fc.assert(
      fc.property(damaged, (document) => {
        const payload = Buffer.from(JSON.stringify(document));
        const [first] = parsePolicy(payload).faults;
        expect(filterParse(payload)).toEqual({ code: first?.code ?? "OK", where: first?.where ?? "" });
      }),
      { numRuns: 2000 },
    );
  });

  it("as bytes never traps, and is refused or accepted by both", () => {
    fc.assert(
      fc.property(policyDocument, fc.nat(), fc.integer({ min: 0, max: 255 }), (document, position, byte) => {
        const payload = Buffer.from(JSON.stringify(document));
        payload[position % payload.length] = byte;
        expect(filterParse(payload).code === "OK").toBe(parsePolicy(payload).faults.length === 0);
      }),
      { numRuns: 2000 },
    );
  });
});

/** One value somewhere in the document replaced by something else, or a member added beside it. */
function damage(document: unknown, dice: Iterator<number>): unknown {
  const roll = (sides: number): number => Number(dice.next().value) % sides;
  const odd = [null, true, 7, -1, "", "*", "x", [], [[]], {}, { x: {} }, ["{*}"], "security.istio.io/v1"];
  const walk = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null || roll(5) === 0) return odd[roll(odd.length)];
    if (Array.isArray(value)) {
      const index = roll(Math.max(1, value.length));
      return value.length === 0
        ? [odd[roll(odd.length)]]
        : value.map((item: unknown, i) => (i === index ? walk(item) : item));
    }
    const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
    const [name, inner] = entries[roll(Math.max(1, entries.length))] ?? ["y", 1];
    return roll(8) === 0 ? { ...value, y: inner } : { ...value, [name]: walk(inner) };
  };
  return walk(document);
}
