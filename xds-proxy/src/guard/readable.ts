/** The messages inside of `Any` that are looked into: those that decide something, and those that may hold others. */
import type { DescMessage } from "@bufbuild/protobuf";
import { FilterConfigSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { FileAccessLogSchema } from "../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "../gen/proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import {
  ExtensionWithMatcherPerRouteSchema,
  ExtensionWithMatcherSchema,
} from "../gen/proto/envoy/extensions/common/matching/v3/extension_matcher_pb.js";
import {
  CompositeSchema,
  ExecuteFilterActionSchema,
} from "../gen/proto/envoy/extensions/filters/http/composite/v3/composite_pb.js";
import {
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
} from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { LuaPerRouteSchema, LuaSchema } from "../gen/proto/envoy/extensions/filters/http/lua/v3/lua_pb.js";
import { RBACPerRouteSchema, RBACSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RouterSchema } from "../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { ConfigSchema as HttpSetFilterStateSchema } from "../gen/proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import { WasmSchema } from "../gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { HttpConnectionManagerSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { ConfigSchema as NetworkSetFilterStateSchema } from "../gen/proto/envoy/extensions/filters/network/set_filter_state/v3/set_filter_state_pb.js";
import { TcpProxySchema } from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { HttpProtocolOptionsSchema } from "../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";

export const READABLE: readonly DescMessage[] = [
  LuaSchema,
  LuaPerRouteSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  NetworkSetFilterStateSchema,
  HttpSetFilterStateSchema,
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
  RBACSchema,
  RBACPerRouteSchema,
  RouterSchema,
  WasmSchema,
  CompositeSchema,
  ExecuteFilterActionSchema,
  ExtensionWithMatcherSchema,
  ExtensionWithMatcherPerRouteSchema,
  FilterConfigSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  StderrAccessLogSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
];
