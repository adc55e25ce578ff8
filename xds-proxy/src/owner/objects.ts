/**
 * Kubernetes objects as their owners write them (YAML 1.2, several documents in one file, or JSON; `List` is unfolded) and
 * the exact bytes that are signed for each.
 *
 * What an API server adds by itself (uid, managedFields, status …) is left out, so that the output of `kubectl get -o yaml`
 * can be signed. Everything else must be something that the filter, or the proxy, enforces: an unknown field is an error, never dropped.
 */
import { isRecord } from "../bytes/record.ts";
import { utf8 } from "../bytes/octets.ts";
import { parseYaml } from "../bytes/yaml.ts";
import { ConfigError, type ConfigFault } from "../errors.ts";
import { readContent } from "./content.ts";
import { compareObjects, type ObjectName } from "./object-name.ts";

/** A text and where it came from, for messages. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

export interface OwnerObject extends ObjectName {
  /** Strict JSON with exactly the members apiVersion, kind, metadata, spec. */
  readonly data: Uint8Array;
  readonly source: string;
}

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** Members of `metadata` that the API server owns. */
const SERVER_METADATA: ReadonlySet<string> = new Set([
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
]);
const OWNER_METADATA: ReadonlySet<string> = new Set(["name", "namespace", "labels", "annotations"]);
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const OBJECT_NAME = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;

/**
 * @param namespace - the one that the owner speaks for; objects without a namespace get it
 * @returns the objects in the order of a set, none twice
 * @throws ConfigError with every fault of every source
 */
export function readObjects(sources: readonly Source[], namespace: string): readonly OwnerObject[] {
  const faults: ConfigFault[] = [];
  const objects = sources
    .flatMap((source) => readDocuments(source, faults))
    .flatMap((document) => readObject(document, namespace, faults));
  const sorted = objects.toSorted(compareObjects);
  sorted.forEach((object, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && compareObjects(before, object) === 0)
      faults.push({ path: object.source, message: `${object.name} is in ${before.source} too` });
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return sorted;
}

interface Located {
  readonly value: unknown;
  readonly at: string;
}

function readDocuments({ name, text }: Source, faults: ConfigFault[]): readonly Located[] {
  const documents = parseYaml(text);
  return documents.flatMap((document, index) => {
    if ("value" in document) return unfoldList(document.value, documents.length > 1 ? `${name}#${index + 1}` : name);
    faults.push({ path: `${name}:${document.fault.line}`, message: document.fault.message });
    return [];
  });
}

/** Empty documents are usual between `---` lines; `kubectl get` answers with a `List`. */
function unfoldList(value: unknown, at: string): readonly Located[] {
  if (value === null || value === undefined) return [];
  if (!isRecord(value) || value["kind"] !== "List" || !Array.isArray(value["items"])) return [{ value, at }];
  return value["items"].flatMap((item: unknown, index) => unfoldList(item, `${at}#items[${index}]`));
}

function readObject({ value, at }: Located, namespace: string, faults: ConfigFault[]): readonly OwnerObject[] {
  const found: ConfigFault[] = [];
  const object = shape(value, namespace, found);
  const data = utf8(JSON.stringify(object ?? null));
  if (object !== undefined && found.length === 0) found.push(...contentFaults(object, data));
  if (object === undefined || found.length > 0) {
    const label = object === undefined ? at : `${at} (${object.kind} ${object.metadata.name})`;
    faults.push(...found.map(({ path, message }) => ({ path: path === "" ? label : `${label}: ${path}`, message })));
    return [];
  }
  const { name } = object.metadata;
  return [{ rt: typeOf(object), name: `${namespace}/${name}`, data, source: at }];
}

function typeOf({ apiVersion, kind }: KubernetesObject): string {
  return `${apiVersion}/${kind}`;
}

/** What its consumer would refuse to load is refused before it is signed. */
function contentFaults(object: KubernetesObject, data: Uint8Array): readonly ConfigFault[] {
  const faults = strictJsonFaults(object, "");
  if (faults.length > 0) return faults;
  return readContent(typeOf(object), data).faults.map(({ code, where, message }) => ({
    path: where,
    message: code === "UNSUPPORTED" ? `not supported: ${message}` : message,
  }));
}

/** Members beside the five that the API server or its clients write; `status` is the server's. */
const MEMBERS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

function shape(value: unknown, namespace: string, faults: ConfigFault[]): KubernetesObject | undefined {
  const fault = (path: string, message: string): void => {
    faults.push({ path, message });
  };
  if (!isRecord(value)) {
    fault("", "is not a Kubernetes object");
    return undefined;
  }
  const { apiVersion, kind, metadata } = value;
  const spec = value["spec"] ?? {};
  for (const member of Object.keys(value)) if (!MEMBERS.has(member)) fault(member, "unknown field");
  if (typeof apiVersion !== "string") fault("apiVersion", "must be a text");
  if (typeof kind !== "string") fault("kind", "must be a text");
  if (!isRecord(metadata)) fault("metadata", "must be an object");
  if (!isRecord(spec)) fault("spec", "must be an object");
  if (typeof apiVersion !== "string" || typeof kind !== "string" || !isRecord(metadata) || !isRecord(spec))
    return undefined;
  const { name, namespace: given } = metadata;
  if (given !== undefined && given !== namespace)
    fault("metadata.namespace", `must be ${namespace}, the namespace that this folder speaks for`);
  if (typeof name === "string" && OBJECT_NAME.test(name))
    return { apiVersion, kind, metadata: { name, namespace, ...ownerMetadata(metadata, faults) }, spec };
  fault("metadata.name", "must be the name of an object");
  return undefined;
}

function ownerMetadata(metadata: Readonly<Record<string, unknown>>, faults: ConfigFault[]): Record<string, unknown> {
  for (const name of Object.keys(metadata)) {
    if (!OWNER_METADATA.has(name) && !SERVER_METADATA.has(name))
      faults.push({ path: `metadata.${name}`, message: "unknown field" });
  }
  const out: Record<string, unknown> = {};
  for (const member of ["labels", "annotations"] as const) {
    const texts = metadata[member] ?? {};
    if (!isRecord(texts) || Object.values(texts).some((text) => typeof text !== "string")) {
      faults.push({
        path: `metadata.${member}`,
        message: "must be an object of strings (quote numbers and true/false)",
      });
      continue;
    }
    const kept = Object.entries(texts).filter(([key]) => key !== LAST_APPLIED);
    if (kept.length > 0) out[member] = Object.fromEntries(kept);
  }
  return out;
}

/** What YAML can say and strict JSON can not. */
function strictJsonFaults(value: unknown, path: string): readonly ConfigFault[] {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return [{ path, message: "must be an integer" }];
  if (typeof value === "string" && /\p{Surrogate}/u.test(value))
    return [{ path, message: "must be well-formed Unicode" }];
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => strictJsonFaults(item, `${path}[${index}]`));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    strictJsonFaults(member, path === "" ? key : `${path}.${key}`),
  );
}
