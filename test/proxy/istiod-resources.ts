/** Resources as istiod makes them, as small as they can be. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, anyUnpack, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_pb.js";
import { ClusterSchema } from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { RouterSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { HttpConnectionManagerSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { WasmSchema, type Wasm } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { FailurePolicy } from "../../xds-proxy/src/gen/proto/envoy/extensions/wasm/v3/wasm_pb.js";
import { bytesField, stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";

export const EXT = "extensions.istio.io/trafficextension/team-a.wpgate~istio-translated-wasmplugin";
export const MODULE_SHA256: string = "ab".repeat(32);
const WASM_URL = `type.googleapis.com/${WasmSchema.typeName}`;

export interface ExtensionContent {
  readonly name?: string;
  /** The plugin configuration. */
  readonly text?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly hostKeys?: readonly string[];
  readonly sha256?: string;
  readonly url?: string;
}

/** An ECDS resource, as istiod 1.32 makes it of a WasmPlugin. */
export function extensionOf(content: ExtensionContent): Uint8Array {
  const { name = EXT, text, environment = {}, hostKeys = [], sha256 = MODULE_SHA256 } = content;
  const { url = "https://modules.example/wpgate.wasm" } = content;
  const configuration =
    text === undefined ? undefined : anyPack(StringValueSchema, create(StringValueSchema, { value: text }));
  const wasm = create(WasmSchema, {
    config: {
      name,
      ...(configuration && { configuration }),
      failurePolicy: FailurePolicy.FAIL_CLOSED,
      vm: {
        case: "vmConfig",
        value: {
          runtime: "envoy.wasm.runtime.v8",
          code: {
            specifier: {
              case: "remote",
              value: {
                httpUri: { uri: url, httpUpstreamType: { case: "cluster", value: "_" }, timeout: { seconds: 30n } },
                sha256,
              },
            },
          },
          environmentVariables: {
            hostEnvKeys: [...hostKeys],
            keyValues: { ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: "1", ...environment },
          },
        },
      },
    },
  });
  return toBinary(
    TypedExtensionConfigSchema,
    create(TypedExtensionConfigSchema, { name, typedConfig: anyPack(WasmSchema, wasm) }),
  );
}

export interface ReadExtension {
  readonly typeUrl: string;
  /** What runs: a Wasm filter's configuration text, environment and file; all absent for a denial. */
  readonly text?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  readonly hostKeys?: readonly string[];
  readonly file?: string;
  readonly uri?: string | undefined;
}

export function readExtension(value: Uint8Array): ReadExtension {
  const { typedConfig } = fromBinary(TypedExtensionConfigSchema, value);
  const typeUrl = typedConfig?.typeUrl ?? "";
  if (typedConfig === undefined || typeUrl !== WASM_URL) return { typeUrl };
  const { config } = anyUnpack(typedConfig, WasmSchema) as Wasm;
  const vm = config?.vm.case === "vmConfig" ? config.vm.value : undefined;
  const specifier = vm?.code?.specifier;
  const local = specifier?.case === "local" ? specifier.value.specifier : undefined;
  return {
    ...{ typeUrl, text: config?.configuration && anyUnpack(config.configuration, StringValueSchema)?.value },
    environment: vm?.environmentVariables?.keyValues ?? {},
    hostKeys: vm?.environmentVariables?.hostEnvKeys ?? [],
    ...(local?.case === "filename" && { file: local.value }),
    ...(specifier?.case === "remote" && { uri: specifier.value.httpUri?.uri }),
  };
}

/** @param filters - names of HTTP filters that come by ECDS, before the router */
export function listenerOf(name: string, port: number, filters: readonly string[]): Uint8Array {
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    httpFilters: [
      ...filters.map((filter) => ({
        name: filter,
        configType: {
          case: "configDiscovery" as const,
          value: {
            configSource: { configSourceSpecifier: { case: "ads" as const, value: {} } },
            typeUrls: [WASM_URL],
          },
        },
      })),
      {
        name: "envoy.filters.http.router",
        configType: { case: "typedConfig", value: anyPack(RouterSchema, create(RouterSchema)) },
      },
    ],
    routeSpecifier: {
      case: "routeConfig",
      value: { name: "inbound", virtualHosts: [{ name: "all", domains: ["*"] }] },
    },
  });
  const filter = {
    name: "http",
    configType: { case: "typedConfig" as const, value: anyPack(HttpConnectionManagerSchema, manager) },
  };
  const listener = create(ListenerSchema, {
    name,
    address: {
      address: {
        case: "socketAddress",
        value: { address: "0.0.0.0", portSpecifier: { case: "portValue", value: port } },
      },
    },
    filterChains: [{ filters: [filter] }],
  });
  return toBinary(ListenerSchema, listener);
}

/** Of one endpoint, which is in it. */
export function clusterOf(name: string, address: string, port: number): Uint8Array {
  const endpoint = {
    address: {
      address: {
        case: "socketAddress" as const,
        value: { address, portSpecifier: { case: "portValue" as const, value: port } },
      },
    },
  };
  const cluster = create(ClusterSchema, {
    name,
    connectTimeout: { seconds: 1n },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: endpoint } }] }],
    },
  });
  return toBinary(ClusterSchema, cluster);
}

/** As `envoy.service.discovery.v3.Resource`. */
export function deltaOf(name: string, version: string, typeUrl: string, value: Uint8Array): Uint8Array {
  const any = concat(stringField(1, typeUrl), bytesField(2, value));
  return concat(stringField(1, version), bytesField(2, any), stringField(3, name));
}
