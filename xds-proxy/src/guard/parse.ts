/** Reads a Guard strictly: nothing is skipped, every fault is named with its path (docs/guard.md, "Fields"). */
import { isJsonArray, parseStrictJson, type JsonObject, type JsonValue } from "../bytes/json.ts";
import { ParseError } from "../errors.ts";
import {
  ESCAPED_SLASHES,
  FORWARD_CLIENT_CERT,
  type AllowedCode,
  type AllowedIssuer,
  type FailurePolicyName,
  type Guard,
  type GuardedFilter,
  type GuardedPort,
  type GuardFault,
  type HttpOptions,
  type ParsedGuard,
  type RouteOptions,
} from "./types.ts";

export const GUARD_TYPE = "wpgate.dev/v1/Guard";
const [API_VERSION, KIND] = ["wpgate.dev/v1", "Guard"];
const PORT_MAX = 65_535;
const SHA256 = /^[0-9a-f]{64}$/;
const HOPS_MAX = 255;

/** Never throws. @param data - the verified payload: strict JSON of the whole object */
export function parseGuard(data: Uint8Array): ParsedGuard {
  const reader = new Reader();
  let guard: Guard | undefined;
  try {
    guard = readGuard({ value: parseStrictJson(data, { allowNegative: true }), where: "" }, reader);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    reader.payload("", error.message);
  }
  return guard === undefined || reader.faults.length > 0 ? { faults: reader.faults } : { guard, faults: [] };
}

export function appliesTo({ selector }: Guard, labels: Readonly<Record<string, string>>): boolean {
  return [...selector].every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

interface Place {
  readonly value: JsonValue | undefined;
  readonly where: string;
}

/** Each method returns what it names, or notes a fault and returns something harmless. */
class Reader {
  readonly faults: GuardFault[] = [];

  payload(where: string, message: string): void {
    this.faults.push({ code: "PAYLOAD", where, message });
  }

  /** Members by name; those that are not in `known` are faults. */
  object({ value, where }: Place, known: readonly string[]): (name: string) => Place {
    const object: JsonObject = value instanceof Map ? (value as JsonObject) : new Map<string, JsonValue>();
    if (!(value instanceof Map)) this.payload(where, "must be an object");
    const at = (name: string): string => (where === "" ? name : `${where}.${name}`);
    for (const name of object.keys()) {
      const message = "is not a member of a Guard that this version knows";
      if (!known.includes(name)) this.faults.push({ code: "UNSUPPORTED", where: at(name), message });
    }
    return (name) => ({ value: object.get(name), where: at(name) });
  }

  /** Of any names. */
  entries({ value, where }: Place): readonly (readonly [string, Place])[] {
    if (value === undefined) return [];
    if (value instanceof Map)
      return [...(value as JsonObject)].map(([name, item]) => [name, { value: item, where: `${where}.${name}` }]);
    this.payload(where, "must be an object");
    return [];
  }

  list({ value, where }: Place): readonly Place[] {
    if (value === undefined) return [];
    if (isJsonArray(value)) return value.map((item, index) => ({ value: item, where: `${where}[${index}]` }));
    this.payload(where, "must be a list");
    return [];
  }

  text({ value, where }: Place, otherwise?: string): string {
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (typeof value === "string" && (value !== "" || otherwise === "")) return value;
    this.payload(where, value === undefined ? "must be present" : "must be a text");
    return "";
  }

  texts(place: Place): readonly string[] {
    return this.list(place).map((item) => this.text(item));
  }

  oneOf<T extends string>({ value, where }: Place, allowed: readonly T[], otherwise: T): T {
    if (value === undefined) return otherwise;
    const found = allowed.find((name) => name === value);
    if (found === undefined) this.payload(where, `must be one of ${allowed.join(", ")}`);
    return found ?? otherwise;
  }

  boolean({ value, where }: Place, otherwise: boolean): boolean {
    if (value === undefined || typeof value === "boolean") return value ?? otherwise;
    this.payload(where, "must be true or false");
    return otherwise;
  }

  integer({ value, where }: Place, min: number, max: number): number {
    if (typeof value === "number" && value >= min && value <= max) return value;
    this.payload(where, `must be a number from ${min} to ${max}`);
    return min;
  }

  digests(place: Place, isRequired: boolean): readonly string[] {
    const items = this.list(place);
    if (isRequired && items.length === 0) this.payload(place.where, "must list at least one SHA-256");
    return items.map((item) => {
      const digest = this.text(item);
      if (digest !== "" && !SHA256.test(digest)) this.payload(item.where, "must be 64 digits of lower case hex");
      return digest;
    });
  }
}

function readGuard(document: Place, reader: Reader): Guard | undefined {
  const member = reader.object(document, ["apiVersion", "kind", "metadata", "spec"]);
  reader.oneOf(present(member("apiVersion"), reader), [API_VERSION], API_VERSION);
  reader.oneOf(present(member("kind"), reader), [KIND], KIND);
  const metadata = reader.object(member("metadata"), ["name", "namespace", "labels", "annotations"]);
  const [name, namespace] = [reader.text(metadata("name")), reader.text(metadata("namespace"))];
  for (const texts of ["labels", "annotations"])
    for (const [, text] of reader.entries(metadata(texts))) reader.text(text, "");
  const spec = reader.object(member("spec"), ["selector", "ports", "filter", "belt", "code", "jwt", "http", "routes"]);
  return {
    ...{ name, namespace, selector: readSelector(spec("selector"), reader) },
    ports: readPorts(spec("ports"), reader),
    filter: readFilter(spec("filter"), namespace, reader),
    belt: reader.boolean(spec("belt"), true),
    code: reader.list(spec("code")).map((item) => readCode(item, reader)),
    jwt: reader.list(spec("jwt")).map((item) => readIssuer(item, reader)),
    http: readHttp(spec("http"), reader),
    routes: readRoutes(spec("routes"), reader),
  };
}

function present(place: Place, reader: Reader): Place {
  if (place.value === undefined) reader.payload(place.where, "must be present");
  return place;
}

function readSelector(place: Place, reader: Reader): ReadonlyMap<string, string> {
  if (place.value === undefined) return new Map();
  const labels = reader.object(place, ["matchLabels"])("matchLabels");
  return new Map(reader.entries(labels).map(([name, value]) => [name, reader.text(value, "")]));
}

function readPorts(place: Place, reader: Reader): readonly GuardedPort[] {
  const items = reader.list(present(place, reader));
  if (place.value !== undefined && items.length === 0) reader.payload(place.where, "must list at least one port");
  const seen = new Set<number>();
  return items.map((item) => {
    const member = reader.object(item, ["port", "tcp", "tls", "clientCa"]);
    const port = reader.integer(member("port"), 1, PORT_MAX);
    if (seen.has(port)) reader.payload(`${item.where}.port`, "is there twice");
    seen.add(port);
    const clientCa = reader.texts(member("clientCa"));
    return {
      port,
      tcp: reader.oneOf(member("tcp"), ["refuse", "allow"], "refuse"),
      tls: reader.oneOf(member("tls"), ["none", "simple", "mutual"], "none"),
      clientCa: member("clientCa").value === undefined ? ["ROOTCA"] : clientCa,
    };
  });
}

function readFilter(place: Place, namespace: string, reader: Reader): GuardedFilter {
  const member = reader.object(place, ["extension", "rootId", "sha256", "environment", "failurePolicy"]);
  const environment = member("environment");
  const inside = reader.object(
    environment.value === undefined ? { ...environment, value: new Map<string, JsonValue>() } : environment,
    ["hostKeys", "values"],
  );
  const policies = reader.list(member("failurePolicy"));
  return {
    extension: reader.text(member("extension"), defaultExtension(namespace)),
    rootId: reader.text(member("rootId"), ""),
    sha256: reader.digests(member("sha256"), true),
    environment: {
      hostKeys: reader.texts(inside("hostKeys")),
      values: new Map(reader.entries(inside("values")).map(([name, value]) => [name, reader.text(value, "")])),
    },
    failurePolicy:
      policies.length === 0 ? POLICIES : policies.map((item) => reader.oneOf(item, POLICIES, "FAIL_CLOSED")),
  };
}

const POLICIES: readonly FailurePolicyName[] = ["FAIL_RELOAD", "FAIL_CLOSED"];

/** How istiod calls what it makes of the WasmPlugin `wpgate`. */
export function defaultExtension(namespace: string): string {
  return `extensions.istio.io/trafficextension/${namespace}.wpgate~istio-translated-wasmplugin`;
}

function readCode(item: Place, reader: Reader): AllowedCode {
  const member = reader.object(item, ["name", "typeUrl", "sha256"]);
  const typeUrl = reader.text(member("typeUrl"), "");
  return {
    name: reader.text(member("name")),
    typeUrl: typeUrl === "" ? undefined : typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    sha256: reader.digests(member("sha256"), true),
  };
}

function readIssuer(item: Place, reader: Reader): AllowedIssuer {
  const member = reader.object(item, ["issuer", "jwksSha256", "jwksUri", "audiences", "outputHeaders"]);
  const [digests, uris] = [reader.digests(member("jwksSha256"), false), reader.texts(member("jwksUri"))];
  if (digests.length + uris.length === 0) reader.payload(item.where, "must have jwksSha256 or jwksUri");
  const audiences = reader.texts(member("audiences"));
  return {
    ...{ issuer: reader.text(member("issuer")), jwksSha256: digests, jwksUri: uris },
    audiences: member("audiences").value === undefined ? undefined : audiences,
    outputHeaders: reader.texts(member("outputHeaders")).map((name) => name.toLowerCase()),
  };
}

function readHttp(place: Place, reader: Reader): HttpOptions {
  if (place.value === undefined) return {};
  const member = reader.object(place, [
    ...["normalizePath", "mergeSlashes", "pathWithEscapedSlashesAction", "useRemoteAddress"],
    ...["xffNumTrustedHops", "forwardClientCertDetails"],
  ]);
  const stated = <T>(name: string, read: (place: Place) => T): Partial<Record<string, T>> =>
    member(name).value === undefined ? {} : { [name]: read(member(name)) };
  return {
    ...stated("normalizePath", (at) => reader.boolean(at, false)),
    ...stated("mergeSlashes", (at) => reader.boolean(at, false)),
    ...stated("pathWithEscapedSlashesAction", (at) => reader.oneOf(at, ESCAPED_SLASHES, "KEEP_UNCHANGED")),
    ...stated("useRemoteAddress", (at) => reader.boolean(at, false)),
    ...stated("xffNumTrustedHops", (at) => reader.integer(at, 0, HOPS_MAX)),
    ...stated("forwardClientCertDetails", (at) => reader.oneOf(at, FORWARD_CLIENT_CERT, "SANITIZE")),
  };
}

function readRoutes(place: Place, reader: Reader): RouteOptions {
  const member = reader.object(place.value === undefined ? { ...place, value: new Map<string, JsonValue>() } : place, [
    ...["rds", "rewrite"],
  ]);
  return {
    rds: reader.oneOf(member("rds"), ["refuse", "allow"], "refuse"),
    rewrite: reader.oneOf(member("rewrite"), ["refuse", "allow"], "refuse"),
  };
}
