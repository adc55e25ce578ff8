/** A Guard that says of a running Envoy's configuration what it says already, for its owner to read, cut down and sign. */
import { fromBinary } from "@bufbuild/protobuf";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { JwtAuthenticationSchema } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import type { JwtProvider } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import type { HttpConnectionManager } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { WasmSchema, type Wasm } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { BELT_NAME } from "./belt.ts";
import { sha256Hex } from "./code.ts";
import type { LiveConfig } from "./config-dump.ts";
import { digestOf, policyNameOf, type ExtensionOptions } from "./extension.ts";
import { Findings } from "./findings.ts";
import { httpOptionsOf } from "./http-manager.ts";
import { inboundPorts, type InboundPort } from "./inbound-ports.ts";
import { connectionManagerOf } from "./listener.ts";
import { defaultExtension } from "./parse.ts";
import { checkManagerRoutes } from "./routes.ts";
import { checkTransport } from "./transport.ts";
import type { Guard, HttpOptions, TlsLevel } from "./types.ts";
import { unpackAs } from "./unpack.ts";

export interface Proposal {
  /** The Kubernetes object, ready for YAML. */
  readonly object: Readonly<Record<string, unknown>>;
  /** What a person has to know or fill in. */
  readonly notes: readonly string[];
}

export interface ProposeOptions extends ExtensionOptions {
  readonly name: string;
  readonly namespace: string;
}

export function proposeGuard(config: LiveConfig, options: ProposeOptions): Proposal {
  const { name, namespace } = options;
  const notes: string[] = [...config.unreadable.map((what) => `could not be read and is left aside: ${what}`)];
  const extension = filterName(config, namespace);
  const served = config.listeners.flatMap(inboundPorts).filter((port) => isFiltered(port, extension, notes));
  const managers = served.flatMap(managersOf);
  if (served.length === 0) notes.push(`no port has ${extension} in each of its chains: fill in spec.ports`);
  const spec = {
    selector: { matchLabels: selectorOf(config.labels) },
    ports: served.map(portOf),
    filter: filterOf(config, extension, options, notes),
    ...(managers.every(hasBelt) ? {} : { belt: false }),
    ...nonEmpty("jwt", issuersOf(managers)),
    http: commonOptions(managers),
    ...routesOf(managers),
  };
  if (!managers.every(hasBelt)) notes.push(`${BELT_NAME} is not in each chain; with it, write belt: true`);
  return { object: { apiVersion: "wpgate.dev/v1", kind: "Guard", metadata: { name, namespace }, spec }, notes };
}

/** The one that istiod makes of the WasmPlugin wpgate, or the only Wasm filter there is. */
function filterName({ extensions }: LiveConfig, namespace: string): string {
  const names = extensions.flatMap((value) => {
    const { name, typedConfig } = fromBinary(TypedExtensionConfigSchema, value);
    return unpackAs(typedConfig, WasmSchema) === undefined ? [] : [name];
  });
  const usual = defaultExtension(namespace);
  const [only] = names;
  return names.includes(usual) || only === undefined || names.length > 1 ? usual : only;
}

function isFiltered(port: InboundPort, extension: string, notes: string[]): boolean {
  if (!port.isHttp) notes.push(`port ${port.port} is left out: some of its chains are plain TCP, which nothing judges`);
  const isComplete = managersOf(port).every(({ httpFilters }) => httpFilters.some(({ name }) => name === extension));
  if (port.isHttp && !isComplete)
    notes.push(`port ${port.port} is left out: ${extension} is not in each of its chains`);
  return port.isHttp && isComplete;
}

function managersOf({ chains }: InboundPort): readonly HttpConnectionManager[] {
  return chains.flatMap(({ chain }) => chain.filters.flatMap((filter) => connectionManagerOf(filter) ?? []));
}

function portOf({ port, chains }: InboundPort): object {
  const holds = (tls: TlsLevel): boolean => {
    const findings = new Findings();
    for (const { chain } of chains)
      checkTransport(chain, "", { port, tcp: "refuse", tls, clientCa: ["ROOTCA"] }, findings);
    return findings.all.length === 0;
  };
  const tls = (["mutual", "simple"] as const).find(holds);
  return { port, ...(tls && { tls }) };
}

function filterOf(config: LiveConfig, extension: string, options: ProposeOptions, notes: string[]): object {
  const wasm = wasmOf(config, extension);
  const vm = wasm?.config?.vm.case === "vmConfig" ? wasm.config.vm.value : undefined;
  const digest = digestOf(vm?.code, options);
  if (wasm === undefined) notes.push(`${extension} has not been delivered: fill in spec.filter`);
  else if (digest === undefined)
    notes.push("the module's digest is not known here: fill in spec.filter.sha256 (wpgate filter pin prints it)");
  const policy = wasm?.config && policyNameOf(wasm.config);
  if (wasm !== undefined && policy === undefined)
    notes.push("the filter's failure policy lets requests through: set failStrategy of the WasmPlugin");
  const { hostEnvKeys = [], keyValues = {} } = vm?.environmentVariables ?? {};
  const values = Object.entries(keyValues).filter(([name]) => !name.startsWith("ISTIO_META_"));
  const environment = {
    ...nonEmpty("hostKeys", hostEnvKeys),
    ...(values.length > 0 && { values: Object.fromEntries(values) }),
  };
  const rootId = wasm?.config?.rootId ?? "";
  return {
    ...(extension !== defaultExtension(options.namespace) && { extension }),
    ...(rootId !== "" && { rootId }),
    sha256: [digest ?? "0".repeat(64)],
    ...(Object.keys(environment).length > 0 && { environment }),
    ...(policy && { failurePolicy: [policy] }),
  };
}

function wasmOf({ extensions }: LiveConfig, extension: string): Wasm | undefined {
  for (const value of extensions) {
    const { name, typedConfig } = fromBinary(TypedExtensionConfigSchema, value);
    if (name === extension) return unpackAs(typedConfig, WasmSchema);
  }
  return undefined;
}

/** `app` names a workload by custom; labels that a rollout changes do not. */
function selectorOf(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of ["app", "app.kubernetes.io/name"]) if (labels[name] !== undefined) return { [name]: labels[name] };
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) => !name.endsWith("-hash") && !name.includes("revision")),
  );
}

function hasBelt({ httpFilters }: HttpConnectionManager): boolean {
  return httpFilters.some(({ name }) => name === BELT_NAME);
}

function issuersOf(managers: readonly HttpConnectionManager[]): readonly object[] {
  const providers = managers
    .flatMap(({ httpFilters }) => httpFilters)
    .flatMap(({ configType }) =>
      configType.case === "typedConfig" ? (unpackAs(configType.value, JwtAuthenticationSchema) ?? []) : [],
    )
    .flatMap(({ providers: all }) => Object.values(all));
  const rows = providers.map((provider) => JSON.stringify(issuerOf(provider)));
  return [...new Set(rows)].map((row) => JSON.parse(row) as object);
}

function issuerOf(provider: JwtProvider): object {
  const { issuer, audiences, jwksSourceSpecifier: source } = provider;
  const specifier = source.case === "localJwks" ? source.value.specifier : undefined;
  const isInline = specifier?.case === "inlineString" || specifier?.case === "inlineBytes";
  const headers = [provider.forwardPayloadHeader, ...provider.claimToHeaders.map(({ headerName }) => headerName)];
  return {
    issuer,
    ...(isInline && { jwksSha256: [sha256Hex(specifier.value)] }),
    ...(source.case === "remoteJwks" && { jwksUri: [source.value.httpUri?.uri ?? ""] }),
    ...nonEmpty("audiences", audiences),
    ...nonEmpty(
      "outputHeaders",
      headers.filter((header) => header !== ""),
    ),
  };
}

/** What all of them agree on. */
function commonOptions(managers: readonly HttpConnectionManager[]): HttpOptions {
  const [first, ...others] = managers.map(httpOptionsOf);
  const names = Object.keys(first ?? {}) as (keyof HttpOptions)[];
  const common = names.filter((name) => others.every((options) => options[name] === first?.[name]));
  return Object.fromEntries(common.map((name) => [name, first?.[name]]));
}

function routesOf(managers: readonly HttpConnectionManager[]): object {
  const breaks = (clause: string): boolean => {
    const findings = new Findings();
    for (const manager of managers) checkManagerRoutes(manager, "", STRICT, findings);
    return findings.all.some((finding) => finding.clause === clause);
  };
  const routes = {
    ...(breaks("route-source") && { rds: "allow" }),
    ...((breaks("rewrite") || breaks("route-source")) && { rewrite: "allow" }),
  };
  return Object.keys(routes).length > 0 ? { routes } : {};
}

/** Asks for nothing, and allows nothing. */
export const STRICT: Guard = {
  ...{ namespace: "", name: "", selector: new Map(), ports: [], belt: false, code: [], jwt: [], http: {} },
  routes: { rds: "refuse", rewrite: "refuse" },
  filter: {
    extension: "",
    rootId: "",
    sha256: [],
    environment: { hostKeys: [], values: new Map() },
    failurePolicy: [],
  },
};

function nonEmpty<T>(name: string, items: readonly T[]): Readonly<Record<string, readonly T[]>> {
  return items.length > 0 ? { [name]: items } : {};
}
