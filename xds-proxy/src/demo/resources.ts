/**
 * The files of deploy/envoy as they go to Envoy: `${WPGATE_…}` replaced inside YAML scalars, then the JSON value
 * (bootstrap) or a protobuf Any (what the control plane sends). Nothing else is added, changed or left out here.
 */
import { readFileSync } from "node:fs";
import { createRegistry, fromJson } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { AnySchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { Any } from "@bufbuild/protobuf/wkt";
import { parse } from "yaml";
import { ConfigError } from "../errors.ts";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { StdoutAccessLogSchema } from "../gen/proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import { RBACSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { WasmSchema } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { HttpConnectionManagerSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { projectFile } from "./project-file.ts";

export const TypeUrl = {
  cluster: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  listener: "type.googleapis.com/envoy.config.listener.v3.Listener",
  extensionConfig: "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
} as const;
export type TypeUrl = (typeof TypeUrl)[keyof typeof TypeUrl];

/** Whatever may stand behind an `@type` in those files. */
const registry = createRegistry(
  ...[ClusterSchema, ListenerSchema, HttpConnectionManagerSchema, RouterSchema],
  ...[StdoutAccessLogSchema, RBACSchema, TypedExtensionConfigSchema, WasmSchema, StringValueSchema],
);

export interface BootstrapValues {
  readonly adsPort: number;
  readonly namespace: string;
  /** The label `app`, which selectors match. */
  readonly app: string;
  readonly nodeId?: string;
}

/** For `startEnvoy`. */
export function bootstrap(values: BootstrapValues): JsonObject {
  return load("bootstrap.yaml", {
    WPGATE_NODE_ID: values.nodeId ?? `${values.app}.${values.namespace}`,
    WPGATE_NAMESPACE: values.namespace,
    WPGATE_APP: values.app,
    WPGATE_ADMIN_PORT: "0",
    WPGATE_ADS_PORT: String(values.adsPort),
  });
}

/** The listener `inbound`, on a port that the kernel chooses. */
export function listener(): JsonObject {
  return load("listener.yaml", { WPGATE_INBOUND_PORT: "0" });
}

/** The cluster `app`. */
export function cluster(values: { readonly appPort: number }): JsonObject {
  return load("cluster.yaml", { WPGATE_APP_PORT: String(values.appPort) });
}

/** The extension configuration `wpgate`: the module at `wasm`, and the plugin configuration that it is handed. */
export function extensionConfig(values: { readonly wasm: string; readonly configuration: string }): JsonObject {
  return load("extension-config.yaml", { WPGATE_WASM: values.wasm, WPGATE_CONFIGURATION: values.configuration });
}

/** A resource with `@type`, as the control plane sends it. */
export function toAny(resource: JsonObject): Any {
  return fromJson(AnySchema, resource, { registry });
}

function load(name: string, values: Readonly<Record<string, string>>): JsonObject {
  const path = projectFile(`deploy/envoy/${name}`);
  const used = new Set<string>();
  const fill = (value: unknown): JsonValue => {
    if (typeof value === "string") return value.replaceAll(/\$\{(WPGATE_\w+)\}/g, (_, key: string) => valueOf(key));
    if (Array.isArray(value)) return value.map(fill);
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member)]));
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    throw new ConfigError([{ path, message: `holds a ${typeof value}` }]);
  };
  const valueOf = (key: string): string => {
    const value = values[key];
    if (value === undefined) throw new ConfigError([{ path, message: `has an unknown placeholder ${key}` }]);
    used.add(key);
    return value;
  };
  const filled = fill(parse(readFileSync(path, "utf8")));
  const missing = Object.keys(values).filter((key) => !used.has(key));
  if (!isObject(filled) || missing.length > 0)
    throw new ConfigError([{ path, message: `lacks the placeholders ${missing.join(", ")}` }]);
  return filled;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
