/**
 * A Wasm filter's extension configuration (envoy.extensions.filters.http.wasm.v3), as istiod makes it of a WasmPlugin:
 * what of it is wpgate's business, and the same with its environment cleaned and its code on this machine.
 */
import { create, fromBinary, fromJson, toBinary, toJson, createRegistry } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, StringValueSchema, StructSchema, type Any } from "@bufbuild/protobuf/wkt";
import { isRecord } from "../../bytes/record.ts";
import { ParseError } from "../../errors.ts";
import { forEachField, text } from "../../xds/resource.ts";
import { AsyncDataSourceSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { TypedExtensionConfigSchema } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import { WasmSchema, type Wasm } from "../../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { EnvironmentVariablesSchema, type VmConfig } from "../../gen/proto/envoy/extensions/wasm/v3/wasm_pb.js";

const WASM_URL = `type.googleapis.com/${WasmSchema.typeName}`;
const TYPED_STRUCTS = ["type.googleapis.com/xds.type.v3.TypedStruct", "type.googleapis.com/udpa.type.v1.TypedStruct"];
/** istiod's own notes for istio-agent, one of which changes with every edit of the object, and the registry's secret. */
const ISTIO_META = "ISTIO_META_";
const PULL_SECRET = "ISTIO_META_WASM_IMAGE_PULL_SECRET";
const registry = createRegistry(WasmSchema, StringValueSchema);

export interface WasmExtension {
  readonly name: string;
  readonly wasm: Wasm;
  /** The plugin configuration, where it is text. */
  readonly configuration: string | undefined;
}

/** Undefined where it is no Wasm filter. @throws ParseError PROTOBUF */
export function readWasmExtension(value: Uint8Array): WasmExtension | undefined {
  try {
    const { name, typedConfig } = fromBinary(TypedExtensionConfigSchema, value);
    const wasm = typedConfig && wasmOf(typedConfig);
    return wasm && { name, wasm, configuration: configurationOf(wasm) };
  } catch (cause) {
    throw cause instanceof ParseError ? cause : new ParseError("PROTOBUF", "not an extension configuration", { cause });
  }
}

/** The plugin configuration as an object, where it is one that carries owners' statements. */
export function statementsIn(configuration: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(configuration);
    return isRecord(value) && value["wpgate"] !== undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

export function writeWasmExtension({ name, wasm }: Pick<WasmExtension, "name" | "wasm">): Uint8Array {
  const typedConfig = anyPack(WasmSchema, wasm);
  return toBinary(TypedExtensionConfigSchema, create(TypedExtensionConfigSchema, { name, typedConfig }));
}

function wasmOf(config: Any): Wasm | undefined {
  if (config.typeUrl === WASM_URL) return fromBinary(WasmSchema, config.value);
  if (!TYPED_STRUCTS.includes(config.typeUrl)) return undefined;
  let typeUrl = "";
  let struct: Uint8Array = new Uint8Array();
  forEachField(config.value, (field, content) => {
    if (field === 1) typeUrl = text(content);
    else if (field === 2) struct = content;
  });
  if (typeUrl !== WASM_URL) return undefined;
  return fromJson(WasmSchema, toJson(StructSchema, fromBinary(StructSchema, struct)), { registry });
}

function configurationOf({ config }: Wasm): string | undefined {
  const configuration = config?.configuration;
  return configuration && anyUnpack(configuration, StringValueSchema)?.value;
}

/** Where the code comes from. */
export interface CodeSource {
  /** `https://…`, `oci://…`, or the path of a file. */
  readonly url: string;
  /** Lower-case hex, as istiod gives it: of the module, of an image's manifest for `oci://`; empty where it gives none. */
  readonly sha256: string;
  /** The registry's credentials: a Docker configuration in JSON. */
  readonly pullSecret: string | undefined;
}

/** Undefined where there is no code to fetch, such as code inside the configuration. */
export function codeSourceOf({ config }: Wasm): CodeSource | undefined {
  const vm = vmOf(config?.vm);
  const specifier = vm?.code?.specifier;
  const pullSecret = vm?.environmentVariables?.keyValues[PULL_SECRET];
  if (specifier?.case === "remote") {
    const { httpUri, sha256 } = specifier.value;
    return { url: httpUri?.uri ?? "", sha256, pullSecret };
  }
  const local = specifier?.case === "local" ? specifier.value.specifier : undefined;
  return local?.case === "filename" ? { url: local.value, sha256: "", pullSecret } : undefined;
}

/** With its code at a path of this machine. */
export function withLocalCode(wasm: Wasm, path: string): Wasm {
  const specifier = { case: "local", value: { specifier: { case: "filename", value: path } } } as const;
  return withVm(wasm, (vm) => ({ ...vm, code: create(AsyncDataSourceSchema, { specifier }) }));
}

/** Without what istiod added to the environment: Envoy makes another VM, which remembers nothing, whenever it changes. */
export function withoutIstioMeta(wasm: Wasm): Wasm {
  return withEnvironment(wasm, ({ hostEnvKeys, keyValues }) => ({
    hostEnvKeys,
    keyValues: without(keyValues, (name) => name.startsWith(ISTIO_META)),
  }));
}

/** With a variable that this VM alone gets, or with none of that name, wherever it would come from. */
export function withVariable(wasm: Wasm, name: string, value: string | undefined): Wasm {
  return withEnvironment(wasm, ({ hostEnvKeys, keyValues }) => ({
    hostEnvKeys: hostEnvKeys.filter((key) => key !== name),
    keyValues: { ...without(keyValues, (key) => key === name), ...(value !== undefined && { [name]: value }) },
  }));
}

/** With other text as its plugin configuration. */
export function withConfiguration(wasm: Wasm, value: string): Wasm {
  const configuration = anyPack(StringValueSchema, create(StringValueSchema, { value }));
  return wasm.config ? { ...wasm, config: { ...wasm.config, configuration } } : wasm;
}

interface Environment {
  readonly hostEnvKeys: readonly string[];
  readonly keyValues: Readonly<Record<string, string>>;
}

/** Sorted, so that the same environment is the same bytes. */
function withEnvironment(wasm: Wasm, change: (environment: Environment) => Environment): Wasm {
  return withVm(wasm, (vm) => {
    const { hostEnvKeys, keyValues } = change(vm.environmentVariables ?? { hostEnvKeys: [], keyValues: {} });
    const entries = Object.entries(keyValues).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const environment = create(EnvironmentVariablesSchema, {
      ...{ hostEnvKeys: [...hostEnvKeys], keyValues: Object.fromEntries(entries) },
    });
    const changed = { ...vm, environmentVariables: environment };
    if (hostEnvKeys.length === 0 && entries.length === 0) delete (changed as Partial<VmConfig>).environmentVariables;
    return changed;
  });
}

function without(
  values: Readonly<Record<string, string>>,
  isOut: (name: string) => boolean,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !isOut(name)));
}

function withVm(wasm: Wasm, change: (vm: VmConfig) => VmConfig): Wasm {
  const { config } = wasm;
  const vm = vmOf(config?.vm);
  return config && vm ? { ...wasm, config: { ...config, vm: { case: "vmConfig", value: change(vm) } } } : wasm;
}

function vmOf(vm: NonNullable<Wasm["config"]>["vm"] | undefined): VmConfig | undefined {
  return vm?.case === "vmConfig" ? vm.value : undefined;
}
