/** Attacks on the module that runs, and other code beside it. */
import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import { RouteConfigurationSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import { FailurePolicy } from "../../xds-proxy/src/gen/proto/envoy/extensions/wasm/v3/wasm_pb.js";
import { TypedStructSchema } from "../../xds-proxy/src/gen/proto/xds/type/v3/typed_struct_pb.js";
import { checkExtension, checkListener, checkRoutes } from "../../xds-proxy/src/guard/check.ts";
import { any, edited, editManagers, httpFilter, servesPort } from "./edit.ts";

import {
  REDIRECT,
  LUA,
  guards,
  type Attack,
  named,
  onManager,
  onListener,
  onExtension,
  ownFilter,
  lua,
} from "./attack.ts";

export const ON_CODE: readonly Attack[] = [
  onExtension("another module", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code?.specifier.case === "remote")
      config.vm.value.code.specifier.value.sha256 = "0".repeat(64);
  }),
  onExtension("a module without a digest", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code)
      config.vm.value.code.specifier = {
        case: "local",
        value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "filename", value: "/tmp/x" } },
      };
  }),
  onExtension("a module inside", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code)
      config.vm.value.code.specifier = {
        case: "local",
        value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "inlineBytes", value: utf8("x") } },
      };
  }),
  onExtension("another environment", "environment", ({ config }) => {
    if (config?.vm.case === "vmConfig")
      config.vm.value.environmentVariables = {
        $typeName: "envoy.extensions.wasm.v3.EnvironmentVariables",
        hostEnvKeys: [],
        keyValues: { WPGATE_RECIPIENT: "mine" },
      };
  }),
  onExtension("FAIL_OPEN", "failure-policy", ({ config }) => {
    if (config) config.failurePolicy = FailurePolicy.FAIL_OPEN;
  }),
  onExtension("fail_open", "failure-policy", ({ config }) => {
    if (config) config.failOpen = true;
  }),
  onExtension("a shared VM", "sandbox", ({ config }) => {
    if (config?.vm.case === "vmConfig") config.vm.value.vmId = "shared";
  }),
  onExtension("calls taken away from the module", "sandbox", ({ config }) => {
    if (config)
      config.capabilityRestrictionConfig = {
        $typeName: "envoy.extensions.wasm.v3.CapabilityRestrictionConfig",
        allowedCapabilities: { proxy_log: { $typeName: "envoy.extensions.wasm.v3.SanitizationConfig" } },
      };
  }),
  onExtension("another root context", "sandbox", ({ config }) => {
    if (config) config.rootId = "other";
  }),
  onManager("Lua behind the filter", "code", (manager) => {
    manager.httpFilters.splice(-1, 0, lua());
  }),
  onManager("Lua in a TypedStruct", "code", (manager) => {
    const struct = anyPack(
      TypedStructSchema,
      create(TypedStructSchema, { typeUrl: `type.googleapis.com/${LUA}`, value: { inline_code: "x" } }),
    );
    manager.httpFilters.splice(-1, 0, httpFilter("lua", struct));
  }),
  onManager("another filter by ECDS", "code", (manager) => {
    manager.httpFilters.splice(-1, 0, { ...structuredClone(ownFilter(manager)), name: "extensions.istio.io/other" });
  }),
  onListener("a network filter of Wasm on another port", "code", (listener) => {
    const filters = listener.filterChains.find(servesPort(9000))?.filters ?? [];
    for (const filter of filters.slice(0, 1))
      filter.configType = { case: "typedConfig", value: any("envoy.extensions.filters.network.wasm.v3.Wasm") };
  }),
  {
    what: "Lua on what the workload sends",
    clause: "code",
    findings: () => {
      const outbound = editManagers(
        named(REDIRECT.listeners, "0.0.0.0_80"),
        () => true,
        (manager) => {
          manager.httpFilters.unshift(lua());
        },
      );
      return checkListener(outbound, guards, REDIRECT.view);
    },
  },
  {
    what: "Lua of a route",
    clause: "code",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        routes.typedPerFilterConfig = { other: any("envoy.extensions.filters.http.lua.v3.LuaPerRoute") };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "other code by ECDS",
    clause: "code",
    findings: () =>
      checkExtension(
        toBinary(
          TypedExtensionConfigSchema,
          create(TypedExtensionConfigSchema, { name: "other", typedConfig: any(LUA) }),
        ),
        guards,
      ),
  },
];
