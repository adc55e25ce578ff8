/** Kubernetes objects in, exact bytes out, and every fault with its path. */
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../xds-proxy/src/errors.ts";
import { readObjects } from "../../xds-proxy/src/owner/objects.ts";

const read = (text: string, name = "p.yaml"): ReturnType<typeof readObjects> => readObjects([{ name, text }], "team-a");
const textOf = (object: { data: Uint8Array }): string => Buffer.from(object.data).toString();

function faultsOf(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const POLICY = (metadata: string, spec = "{}"): string =>
  `{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: ${metadata}, spec: ${spec}}`;

test("documents of one file, in the order of a set, with the owner's namespace", () => {
  const objects = read(`${POLICY("{name: b}")}\n---\n# nothing\n---\n${POLICY("{name: a, namespace: team-a}")}\n`);
  expect(objects.map(({ name, rt, source }) => [name, rt, source])).toEqual([
    ["team-a/a", "security.istio.io/v1/AuthorizationPolicy", "p.yaml#3"],
    ["team-a/b", "security.istio.io/v1/AuthorizationPolicy", "p.yaml#1"],
  ]);
  expect(textOf(objects[0]!)).toBe(
    '{"apiVersion":"security.istio.io/v1","kind":"AuthorizationPolicy","metadata":{"name":"a","namespace":"team-a"},"spec":{}}',
  );
});

test("what kubectl get answers: a List, without what the server has added", () => {
  const item = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: {
      name: "a",
      namespace: "team-a",
      uid: "1",
      resourceVersion: "7",
      generation: 2,
      creationTimestamp: "2030-01-01T00:00:00Z",
      managedFields: [],
      labels: { app: "x" },
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "istio.io/dry-run": "true" },
    },
    spec: { action: "ALLOW" },
    status: {},
  };
  const [object] = read(JSON.stringify({ apiVersion: "v1", kind: "List", items: [item] }));
  expect(JSON.parse(textOf(object!))).toEqual({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "a", namespace: "team-a", labels: { app: "x" }, annotations: { "istio.io/dry-run": "true" } },
    spec: { action: "ALLOW" },
  });
});

test("YAML words are what YAML 1.2 says", () => {
  const [object] = read(POLICY('{name: a, labels: {on: "off", "yes": no}}'));
  expect(JSON.parse(textOf(object!))).toMatchObject({ metadata: { labels: { on: "off", yes: "no" } } });
});

describe("faults", () => {
  test.each([
    [
      "an unknown field",
      POLICY("{name: a}", "{rules: [{to: [{operation: {method: [GET]}}]}]}"),
      "p.yaml (AuthorizationPolicy a): spec.rules[0].to[0].operation.method: unknown field",
    ],
    [
      "an unknown member",
      `{${POLICY("{name: a}").slice(1, -1)}, data: {}}`,
      "p.yaml (AuthorizationPolicy a): data: unknown field",
    ],
    [
      "what the filter can not enforce",
      POLICY("{name: a}", "{action: CUSTOM, provider: {name: x}}"),
      "spec.action: not supported",
    ],
    [
      "another kind",
      "{apiVersion: v1, kind: Secret, metadata: {name: a}, spec: {}}",
      "kind: must be AuthorizationPolicy",
    ],
    ["another namespace", POLICY("{name: a, namespace: team-b}"), "metadata.namespace: must be team-a"],
    [
      "a fraction",
      POLICY("{name: a}", "{rules: [{when: [{key: source.ip, values: [1.5]}]}]}"),
      "spec.rules[0].when[0].values[0]: must be an integer",
    ],
    ["a bad name", POLICY("{name: A_b}"), "p.yaml: metadata.name: must be the name of an object"],
    ["an unknown metadata field", POLICY("{name: a, owner: me}"), "metadata.owner: unknown field"],
    ["a label that is no text", POLICY("{name: a, labels: {x: 1}}"), "metadata.labels: must be an object of strings"],
    ["a member twice", POLICY("{name: a, name: b}"), "p.yaml:1: Map keys must be unique"],
    ["no YAML", "{", "p.yaml:1: "],
    ["no object", "7", "p.yaml: is not a Kubernetes object"],
    [
      "an alias bomb",
      `a: &a [1,1]\nb: &b [${"*a,".repeat(60)}*a]\nc: [${"*b,".repeat(60)}*b]`,
      "p.yaml:1: too many aliases",
    ],
  ])("%s", (_, text, expected) => {
    const faults = faultsOf(text);
    expect(faults.join("\n")).toContain(expected);
  });

  test("all of them at once, and the same object twice", () => {
    const faults = faultsOf([POLICY("{name: a}"), POLICY("{name: a}"), POLICY("{name: b, x: 1}"), "3"].join("\n---\n"));
    expect(faults).toEqual([
      "p.yaml#3 (AuthorizationPolicy b): metadata.x: unknown field",
      "p.yaml#4: is not a Kubernetes object",
      "p.yaml#2: team-a/a is in p.yaml#1 too",
    ]);
  });
});
