/** A decoded Listener: its chains, their connection managers, and the names of what they get from elsewhere. */
import { fromBinary } from "@bufbuild/protobuf";
import type { Filter, FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema, type Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManager,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { unpackAs } from "./unpack.ts";

export interface Chain {
  readonly chain: FilterChain;
  /** `filter_chains[2]` */
  readonly where: string;
  readonly isDefault: boolean;
}

/** @throws Error for what is no Listener */
export function decodeListener(value: Uint8Array): Listener {
  return fromBinary(ListenerSchema, value);
}

export function chainsOf(listener: Listener): readonly Chain[] {
  const chains = listener.filterChains.map((chain, at) => ({
    chain,
    where: `filter_chains[${at}]`,
    isDefault: false,
  }));
  const { defaultFilterChain } = listener;
  if (defaultFilterChain === undefined) return chains;
  return [...chains, { chain: defaultFilterChain, where: "default_filter_chain", isDefault: true }];
}

/** @throws Error for a connection manager that cannot be read */
export function connectionManagerOf(filter: Filter): HttpConnectionManager | undefined {
  if (filter.configType.case !== "typedConfig") return undefined;
  return unpackAs(filter.configType.value, HttpConnectionManagerSchema);
}

/** Names of the extension configurations that HTTP chains ask for; none of what cannot be read. */
export function discoveredExtensions(value: Uint8Array): readonly string[] {
  return namesIn(value, (manager) =>
    manager.httpFilters.flatMap(({ name, configType }) => (configType.case === "configDiscovery" ? [name] : [])),
  );
}

/** Names of the route configurations that HTTP chains ask for; none of what cannot be read. */
export function discoveredRoutes(value: Uint8Array): readonly string[] {
  return namesIn(value, ({ routeSpecifier }) =>
    routeSpecifier.case === "rds" ? [routeSpecifier.value.routeConfigName] : [],
  );
}

function namesIn(value: Uint8Array, namesOf: (manager: HttpConnectionManager) => readonly string[]): readonly string[] {
  try {
    const filters = chainsOf(decodeListener(value)).flatMap(({ chain }) => chain.filters);
    const names = filters.flatMap((filter) => {
      const manager = connectionManagerOf(filter);
      return manager === undefined ? [] : namesOf(manager);
    });
    return [...new Set(names)];
  } catch {
    return [];
  }
}
