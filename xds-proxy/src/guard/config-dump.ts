/** What an Envoy runs with, out of its admin interface's `/config_dump?include_eds`, as the messages that it got. */
import { createRegistry, fromJson, toBinary, type DescMessage, type JsonValue } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { isRecord } from "../bytes/record.ts";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { TypedStructSchema as UdpaTypedStructSchema } from "../gen/proto/udpa/type/v1/typed_struct_pb.js";
import { TypedStructSchema } from "../gen/proto/xds/type/v3/typed_struct_pb.js";
import { READABLE } from "./readable.ts";
import { typeNameOf } from "./unpack.ts";

export interface LiveConfig {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What came by xDS; what the bootstrap says is not the control plane's. */
  readonly listeners: readonly Uint8Array[];
  readonly clusters: readonly Uint8Array[];
  readonly endpoints: readonly Uint8Array[];
  readonly routes: readonly Uint8Array[];
  readonly extensions: readonly Uint8Array[];
  /** Parts that could not be read, with the reason. */
  readonly unreadable: readonly string[];
}

const REGISTRY = createRegistry(...READABLE, TypedStructSchema, UdpaTypedStructSchema, StringValueSchema);
const OPTIONS = { registry: REGISTRY, ignoreUnknownFields: true };

/** Where each kind lies: the member of the dump, the path in its items. */
const PARTS = {
  listeners: { schema: ListenerSchema, paths: [["dynamic_listeners", "active_state", "listener"]] },
  clusters: { schema: ClusterSchema, paths: [["dynamic_active_clusters", "cluster"]] },
  endpoints: { schema: ClusterLoadAssignmentSchema, paths: [["dynamic_endpoint_configs", "endpoint_config"]] },
  routes: { schema: RouteConfigurationSchema, paths: [["dynamic_route_configs", "route_config"]] },
  extensions: { schema: TypedExtensionConfigSchema, paths: [["ecds_filters", "ecds_filter"]] },
} as const;

/** Never throws. @param dump - the answer, parsed */
export function readConfigDump(dump: unknown): LiveConfig {
  const unreadable: string[] = [];
  const sections = listOf(member(dump, "configs"));
  const read = (kind: keyof typeof PARTS): readonly Uint8Array[] => {
    const { schema, paths } = PARTS[kind];
    return paths.flatMap(([list, ...path]) =>
      sections
        .flatMap((section) => listOf(member(section, list)))
        .map((item) => path.reduce<unknown>((at, name) => member(at, name), item))
        .flatMap((value) => encode(schema, value, kind, unreadable)),
    );
  };
  const metadata = sections
    .map((section) => member(member(member(section, "bootstrap"), "node"), "metadata"))
    .find(isRecord);
  const namespace = metadata?.["NAMESPACE"];
  const labels = Object.entries(isRecord(metadata?.["LABELS"]) ? metadata["LABELS"] : {});
  return {
    namespace: typeof namespace === "string" ? namespace : "",
    labels: Object.fromEntries(labels.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    ...{ listeners: read("listeners"), clusters: read("clusters"), endpoints: read("endpoints") },
    ...{ routes: read("routes"), extensions: read("extensions"), unreadable },
  };
}

function encode(schema: DescMessage, value: unknown, kind: string, unreadable: string[]): readonly Uint8Array[] {
  if (!isRecord(value)) return [];
  const message = withoutType(value);
  try {
    return [toBinary(schema, fromJson(schema, readableOnly(message) as JsonValue, OPTIONS))];
  } catch (error) {
    unreadable.push(`${kind} ${String(message["name"])}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** An `Any` of a type that is not known here becomes a TypedStruct of that type, which says the same. */
function readableOnly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readableOnly);
  if (!isRecord(value)) return value;
  const { "@type": type } = value;
  if (typeof type === "string" && REGISTRY.getMessage(typeNameOf(type)) === undefined) {
    const content = withoutType(value);
    return { "@type": `type.googleapis.com/${TypedStructSchema.typeName}`, type_url: type, value: content };
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, readableOnly(item)]));
}

function withoutType(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "@type"));
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
