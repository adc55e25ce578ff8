/** The HTTP filters of a chain that serves a protected port: the filter, what may stand before it, the belt after it. */
import type {
  HttpConnectionManager,
  HttpFilter,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { JwtAuthenticationSchema } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { RBACSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { WasmSchema } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { BELT_NAME, isBelt } from "./belt.ts";
import { isListedCode } from "./code.ts";
import type { Findings } from "./findings.ts";
import { checkJwt } from "./jwt.ts";
import { knownType } from "./known-types.ts";
import type { Guard } from "./types.ts";
import { typeNameOf, unpack, unpackAs } from "./unpack.ts";

/** What istiod allows in the place of a Wasm filter: the filter, or a denial of everything. */
const DELIVERED: ReadonlySet<string> = new Set<string>([WasmSchema.typeName, RBACSchema.typeName]);

export function checkHttpFilters(
  manager: HttpConnectionManager,
  where: string,
  guard: Guard,
  findings: Findings,
): void {
  const { httpFilters: filters } = manager;
  const { extension } = guard.filter;
  const at = (index: number): string => `${where}.http_filters[${index}]`;
  const own = filters.flatMap(({ name }, index) => (name === extension ? [index] : []));
  const [first] = own;
  if (first === undefined) findings.add("filter-missing", where, `${extension} is not among the HTTP filters`);
  else if (own.length > 1) findings.add("filter-missing", where, `${extension} is there ${own.length} times`);
  filters.forEach((filter, index) => {
    if (index === first) checkSource(filter, at(index), findings);
    else if (first === undefined || index < first) checkBefore(filter, at(index), guard, findings);
    else checkAfter(filter, at(index), guard, findings);
    if (filter.name !== extension && filter.configType.case === "configDiscovery")
      checkDiscovered(filter, at(index), guard, findings);
    if (filter.configType.case === "typedConfig") {
      const jwt = unpackAs(filter.configType.value, JwtAuthenticationSchema);
      if (jwt !== undefined) checkJwt(jwt, at(index), guard, findings);
    }
  });
  const router = filters.findIndex((filter) => typeOf(filter) === RouterSchema.typeName);
  findings.unless(router === filters.length - 1, "filter-order", where, "the router is not the last HTTP filter");
  if (guard.belt) checkBelt(filters, { where, first: first ?? -1 }, findings);
}

function checkSource(filter: HttpFilter, where: string, findings: Findings): void {
  const add = (reason: string): void => {
    findings.add("filter-source", where, reason);
  };
  if (filter.disabled) add("the filter is disabled until a route turns it on");
  if (filter.isOptional) add("Envoy may leave the filter out");
  if (filter.configType.case !== "configDiscovery") {
    add("the filter is configured in place; it must come by ECDS, where its module and content are checked");
    return;
  }
  const { configSource, defaultConfig, applyDefaultConfigWithoutWarming, typeUrls } = filter.configType.value;
  if (configSource?.configSourceSpecifier.case !== "ads") add("the filter does not come through this stream");
  if (defaultConfig !== undefined) add("something else stands in until the filter is there");
  if (applyDefaultConfigWithoutWarming) add("requests are served before the filter is there");
  const other = typeUrls.map(typeNameOf).find((type) => !DELIVERED.has(type));
  if (other !== undefined) add(`${other} may be delivered in its place`);
}

/** Others that come by ECDS: what they are is checked when they come; here, that they can be nothing worse. */
function checkDiscovered(filter: HttpFilter, where: string, guard: Guard, findings: Findings): void {
  if (filter.configType.case !== "configDiscovery") return;
  const isListed = guard.code.some(({ name }) => name === filter.name);
  findings.unless(isListed, "code", where, `${filter.name} comes by ECDS and is not in spec.code`);
  if (filter.configType.value.configSource?.configSourceSpecifier.case !== "ads")
    findings.add("code", where, `${filter.name} does not come through this stream, where it would be checked`);
}

function checkBefore(filter: HttpFilter, where: string, guard: Guard, findings: Findings): void {
  const type = typeOf(filter);
  if (type === RouterSchema.typeName || knownType(type)?.before === true || isListed(filter, guard)) return;
  findings.add("filter-order", where, `${filter.name} (${type === "" ? "by ECDS" : type}) stands before the filter`);
}

function checkAfter(filter: HttpFilter, where: string, guard: Guard, findings: Findings): void {
  const type = typeOf(filter);
  if (guard.routes.rewrite === "allow" || knownType(type)?.rewrites !== true || isListed(filter, guard)) return;
  findings.add("rewrite", where, `${filter.name} (${type}) may change the request after the filter has judged it`);
}

function checkBelt(
  filters: readonly HttpFilter[],
  { where, first }: { where: string; first: number },
  findings: Findings,
): void {
  const index = filters.findIndex(({ name }, at) => at > first && name === BELT_NAME);
  const belt = filters[index];
  if (belt?.configType.case !== "typedConfig") {
    findings.add("belt", where, `${BELT_NAME} is not among the HTTP filters behind the filter`);
    return;
  }
  const at = `${where}.http_filters[${index}]`;
  const rbac = unpackAs(belt.configType.value, RBACSchema);
  findings.unless(
    rbac !== undefined && isBelt(rbac),
    "belt",
    at,
    "it lets through more than what the filter has marked",
  );
  findings.unless(!belt.disabled && !belt.isOptional, "belt", at, "it is disabled or optional");
}

function isListed({ name, configType }: HttpFilter, guard: Guard): boolean {
  if (configType.case === "typedConfig") return isListedCode(guard, name, unpack(configType.value));
  return guard.code.some((entry) => entry.name === name);
}

function typeOf({ configType }: HttpFilter): string {
  return configType.case === "typedConfig" ? unpack(configType.value).type : "";
}
