/** What the demo publishes and asks for: the policies of deploy/envoy/policies, or a person's own. */
import { readFileSync } from "node:fs";
import { decodeUtf8, utf8 } from "../bytes/octets.ts";
import { parseYaml } from "../bytes/yaml.ts";
import { isLabel } from "../envelope/names.ts";
import { ConfigError } from "../errors.ts";
import { readObjects, type OwnerObject, type Source } from "../owner/objects.ts";
import { explainRequest } from "../policy/evaluate.ts";
import { parsePolicy } from "../policy/parse.ts";
import { TRUST_DOMAIN } from "./demo-owner.ts";
import { projectFile } from "./project-file.ts";

export interface DemoRequest {
  readonly method: string;
  readonly path: string;
  /** What it is answered under the first and under the second version of the policies. */
  readonly expected: { readonly first: number; readonly second: number };
  /** Which policy decides that. */
  readonly because: { readonly first: string; readonly second: string };
}

type Sample = Pick<DemoRequest, "method" | "path">;

export interface Story {
  readonly namespace: string;
  /** The label `app` of the workload. */
  readonly app: string;
  /** Two versions of what is signed in clear; one policy differs. */
  readonly first: readonly OwnerObject[];
  readonly second: readonly OwnerObject[];
  readonly sealed: readonly OwnerObject[];
  readonly requests: readonly DemoRequest[];
}

const REQUESTS: readonly Omit<DemoRequest, "because">[] = [
  { method: "GET", path: "/orders/7", expected: { first: 200, second: 200 } },
  { method: "POST", path: "/orders", expected: { first: 403, second: 200 } },
  { method: "GET", path: "/customers", expected: { first: 403, second: 403 } },
  { method: "GET", path: "/orders/internal/costs", expected: { first: 403, second: 403 } },
];
const MAX_REQUESTS = 6;

export function ownStory(): Story {
  const read = (name: string): readonly OwnerObject[] => readObjects([policyFile(name)], "team-a");
  const cast = { namespace: "team-a", app: "shop", first: read("allow-orders"), second: read("allow-orders-next") };
  const story = { ...cast, sealed: read("deny-internal") };
  const requests = REQUESTS.map((request) => ({
    ...request,
    because: judged(story, request, ({ because }) => because),
  }));
  return { ...story, requests };
}

/** A story about other policies; what is expected is what the policy evaluator says.
 *  @throws ConfigError when they are not policies of one namespace that the filter enforces */
export function storyOf(sources: readonly Source[]): Story {
  // What is wrong with a document is for `readObjects` to say.
  const documents = sources.flatMap(({ text }) =>
    parseYaml(text).flatMap((document) => ("value" in document ? [document.value] : [])),
  );
  const namespace = documents.map((value) => memberOf(value, "metadata", "namespace")).find(isText) ?? "team-a";
  const app =
    documents.map((value) => memberOf(value, "spec", "selector", "matchLabels", "app")).find(isText) ?? "shop";
  if (!isLabel(namespace)) throw new ConfigError([{ path: "metadata.namespace", message: "must be a DNS label" }]);
  const first = readObjects(sources, namespace);
  const { name, text } = policyFile("deny-internal");
  const hidden = {
    name,
    text: text.replace("namespace: team-a", `namespace: ${namespace}`).replace("app: shop", `app: ${app}`),
  };
  const sealed = readObjects([hidden], namespace);
  const second = first.map((object, index) => (index === 0 ? annotated(object) : object));
  const story = { namespace, app, first, second, sealed };
  const requests = [...samples(documents), { method: "GET", path: "/orders/internal/costs" }].map((request) => ({
    ...request,
    expected: judged(story, request, ({ status }) => status),
    because: judged(story, request, ({ because }) => because),
  }));
  return { ...story, requests };
}

function policyFile(name: string): Source {
  const path = `deploy/envoy/policies/${name}.yaml`;
  return { name: path, text: readFileSync(projectFile(path), "utf8") };
}

/** The same policy in a new version: a note that changes no verdict. */
function annotated(object: OwnerObject): OwnerObject {
  const value = JSON.parse(decodeUtf8(object.data) ?? "") as { metadata: { annotations?: Record<string, string> } };
  const annotations = { ...value.metadata.annotations, "wpgate.dev/demo": "second version" };
  return { ...object, data: utf8(JSON.stringify({ ...value, metadata: { ...value.metadata, annotations } })) };
}

/** Requests that the operations of the policies speak of, and one that they may not. */
function samples(documents: readonly unknown[]): readonly Sample[] {
  const found = documents
    .flatMap((value) => listOf(memberOf(value, "spec", "rules")))
    .flatMap((rule) => listOf(memberOf(rule, "to")))
    .flatMap((to) => {
      const methods = [...listOf(memberOf(to, "operation", "methods")), "GET"].filter(isText).slice(0, 1);
      const paths = [...listOf(memberOf(to, "operation", "paths")), "/"].filter(isText).slice(0, 2);
      return methods.flatMap((method) =>
        paths.map((path) => ({ method: concrete(method, "GET"), path: concrete(path, "/x") })),
      );
    });
  const all = [...found, { method: "GET", path: "/" }, { method: "DELETE", path: "/" }];
  return [...new Map(all.map((sample) => [`${sample.method} ${sample.path}`, sample])).values()].slice(0, MAX_REQUESTS);
}

/** A text that a pattern matches. */
function concrete(pattern: string, anything: string): string {
  if (pattern === "*") return anything;
  const text = pattern.replace(/\{\*\*?\}|\*/g, "x");
  return anything.startsWith("/") && !text.startsWith("/") ? `/${text}` : text;
}

interface Judgement {
  readonly status: number;
  readonly because: string;
}

/** The same question about both versions. */
function judged<T>(
  story: Omit<Story, "requests">,
  request: Sample,
  pick: (judgement: Judgement) => T,
): { readonly first: T; readonly second: T } {
  return {
    first: pick(judge(story, story.first, request)),
    second: pick(judge(story, story.second, request)),
  };
}

function judge(story: Omit<Story, "requests">, plain: readonly OwnerObject[], request: Sample): Judgement {
  const objects = [...plain, ...story.sealed];
  const { decision } = explainRequest({
    policies: objects.map(({ data }) => parsePolicy(data).policy).filter((policy) => policy !== undefined),
    node: {
      ...{ namespace: story.namespace, rootNamespace: "istio-system", trustDomain: TRUST_DOMAIN },
      labels: { app: story.app },
    },
    knobs: { default: "deny", paths: "strict" },
    request: {
      ...{ ...request, host: "127.0.0.1:1", headers: [] },
      ...{ remoteAddress: "127.0.0.1:1", destinationAddress: "127.0.0.1:1" },
    },
  });
  const name = /-policy\[(.*)\]-rule\[/.exec(decision.rule)?.[1];
  const isSealed = story.sealed.some((object) => object.name === `${story.namespace}/${name ?? ""}`);
  const because = name === undefined ? "nothing allows it" : `${name}${isSealed ? ", which is sealed" : ""}`;
  return { status: decision.status, because };
}

function memberOf(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path)
    at = typeof at === "object" && at !== null ? new Map<string, unknown>(Object.entries(at)).get(name) : undefined;
  return at;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
