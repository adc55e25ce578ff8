/** What ECDS delivers: the filter itself, with its module, environment and failure policy; and other code. */
import { fromBinary } from "@bufbuild/protobuf";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { RBACSchema, type RBAC } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { WasmSchema, type Wasm } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { FailurePolicy, type PluginConfig, type VmConfig } from "../gen/proto/envoy/extensions/wasm/v3/wasm_pb.js";
import type { AsyncDataSource } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { sha256Hex } from "./code.ts";
import { checkContents } from "./contents.ts";
import { deniesAll } from "./deny-all.ts";
import { Findings } from "./findings.ts";
import type { FailurePolicyName, Guard, GuardFinding } from "./types.ts";
import { unpack } from "./unpack.ts";

export interface ExtensionOptions {
  /** Lower case hex SHA-256 of a module in a local file; undefined when it cannot be read. */
  readonly sha256OfFile?: (filename: string) => string | undefined;
}

/** istiod adds these, and the proxy takes them out again. */
const ISTIO_META = /^ISTIO_META_/;
const RUNTIME = "envoy.wasm.runtime.v8";

export function checkExtension(
  value: Uint8Array,
  guards: readonly Guard[],
  options: ExtensionOptions = {},
): readonly GuardFinding[] {
  const findings = new Findings();
  findings.reading("", () => {
    const extension = fromBinary(TypedExtensionConfigSchema, value);
    for (const guard of guards) {
      const isOwn = extension.name === guard.filter.extension;
      if (isOwn) checkOwn(extension.typedConfig, guard, options, findings);
      else checkContents(TypedExtensionConfigSchema, extension, "", { guard, findings, isProtected: false });
    }
  });
  return findings.all;
}

function checkOwn(
  any: { readonly typeUrl: string; readonly value: Uint8Array } | undefined,
  guard: Guard,
  options: ExtensionOptions,
  findings: Findings,
): void {
  const where = "typed_config";
  const { type, content } = unpack({
    $typeName: "google.protobuf.Any",
    ...(any ?? { typeUrl: "", value: new Uint8Array() }),
  });
  if (type === RBACSchema.typeName && content && deniesAll(content.message as RBAC)) return;
  if (type !== WasmSchema.typeName || content === undefined) {
    findings.add(
      "filter-source",
      where,
      `${guard.filter.extension} is ${type === "" ? "of no type" : type}, and must be Wasm`,
    );
    return;
  }
  checkContents(content.schema, content.message, where, { guard, findings, isProtected: true });
  const { config } = content.message as Wasm;
  if (config?.vm.case !== "vmConfig") {
    findings.add("module", where, "it has no module");
    return;
  }
  checkPlugin(config, guard, findings);
  checkVm(config.vm.value, guard, findings);
  checkCode(config.vm.value.code, guard, options, findings);
}

function checkPlugin(config: PluginConfig, guard: Guard, findings: Findings): void {
  const where = "typed_config.config";
  const policy = policyNameOf(config);
  if (policy === undefined || !guard.filter.failurePolicy.includes(policy)) {
    const shown = config.failOpen
      ? "fail_open"
      : ((FailurePolicy[config.failurePolicy] as string | undefined) ?? String(config.failurePolicy));
    findings.add("failure-policy", where, `the failure policy is ${shown}`);
  }
  const { rootId } = guard.filter;
  findings.unless(config.rootId === rootId, "sandbox", where, `root_id is ${JSON.stringify(config.rootId)}`);
  const { capabilityRestrictionConfig: restrictions } = config;
  const isRestricted = Object.keys(restrictions?.allowedCapabilities ?? {}).length > 0;
  findings.unless(
    !isRestricted,
    "sandbox",
    where,
    "capabilities are restricted, which can keep the filter from being called",
  );
}

/** Undefined for one that lets requests through. */
export function policyNameOf({ failOpen, failurePolicy }: PluginConfig): FailurePolicyName | undefined {
  return failOpen ? undefined : POLICIES.get(failurePolicy);
}

/** Unspecified means closed until the next push. */
const POLICIES: ReadonlyMap<FailurePolicy, FailurePolicyName> = new Map([
  [FailurePolicy.FAIL_RELOAD, "FAIL_RELOAD"],
  [FailurePolicy.FAIL_CLOSED, "FAIL_CLOSED"],
  [FailurePolicy.UNSPECIFIED, "FAIL_CLOSED"],
]);

function checkVm(vm: VmConfig, guard: Guard, findings: Findings): void {
  const where = "typed_config.config.vm_config";
  findings.unless(vm.vmId === "", "sandbox", where, `vm_id is ${JSON.stringify(vm.vmId)}: others may share its data`);
  findings.unless(vm.runtime === RUNTIME, "sandbox", where, `the runtime is ${JSON.stringify(vm.runtime)}`);
  findings.unless(vm.configuration === undefined, "sandbox", where, "the VM has a configuration");
  findings.unless(
    !vm.allowPrecompiled,
    "sandbox",
    where,
    "precompiled machine code is allowed, which no digest of a module covers",
  );
  const { hostKeys, values } = guard.filter.environment;
  const { hostEnvKeys = [], keyValues = {} } = vm.environmentVariables ?? {};
  const actual = Object.entries(keyValues).filter(([name]) => !ISTIO_META.test(name));
  const isSame =
    hostEnvKeys.toSorted().join("\n") === hostKeys.toSorted().join("\n") &&
    actual.length === values.size &&
    actual.every(([name, text]) => values.get(name) === text);
  const shown = [...hostEnvKeys, ...actual.map(([name]) => `${name}=…`)].join(", ");
  findings.unless(isSame, "environment", where, `the environment is ${shown === "" ? "empty" : shown}`);
}

function checkCode(
  code: AsyncDataSource | undefined,
  guard: Guard,
  options: ExtensionOptions,
  findings: Findings,
): void {
  const where = "typed_config.config.vm_config.code";
  const digest = digestOf(code, options);
  if (digest === undefined) findings.add("module", where, "nothing says which module it is: it has no digest");
  else if (!guard.filter.sha256.includes(digest))
    findings.add("module", where, `the module's digest is ${digest}, which spec.filter.sha256 does not list`);
}

/** Lower case hex; undefined when nothing says which module it is. */
export function digestOf(code: AsyncDataSource | undefined, { sha256OfFile }: ExtensionOptions): string | undefined {
  if (code?.specifier.case === "remote") return code.specifier.value.sha256.toLowerCase() || undefined;
  const source = code?.specifier.case === "local" ? code.specifier.value.specifier : undefined;
  if (source?.case === "inlineBytes") return sha256Hex(source.value);
  if (source?.case === "inlineString") return sha256Hex(source.value);
  return source?.case === "filename" ? sha256OfFile?.(source.value) : undefined;
}
