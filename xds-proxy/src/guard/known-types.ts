/**
 * The types that may stand in a protected listener: what istiod generates, and Envoy's own extensions that run no code of
 * others. A type that is not here is refused until somebody has looked at what it can do (or its owner lists it).
 */

export interface TypeRow {
  /** As an HTTP filter: cannot change what a later filter sees of the request, nor answer as if the application had. */
  readonly before?: true;
  /** As an HTTP filter: may give the application another path, host or method. */
  readonly rewrites?: true;
}

const PLAIN: TypeRow = {};
const BEFORE: TypeRow = { before: true };
const REWRITES: TypeRow = { rewrites: true };

const HTTP = "envoy.extensions.filters.http.";
const NETWORK = "envoy.extensions.filters.network.";
const LISTENER = "envoy.extensions.filters.listener.";

/** Istio's own, which only its build of Envoy has. They are opaque here; each is a telemetry or routing hint. */
const ISTIO: readonly (readonly [string, TypeRow])[] = [
  ["io.istio.http.peer_metadata.Config", BEFORE],
  ["istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig", BEFORE],
  ["istio.envoy.config.filter.http.istio_authn.v2alpha1.FilterConfig", BEFORE],
  ["stats.PluginConfig", BEFORE],
  ["envoy.tcp.metadataexchange.config.MetadataExchange", PLAIN],
  ["istio.tcp_cluster_rewrite.v1alpha1.TcpClusterRewrite", PLAIN],
  ["io.istio.network.sni_verifier.v1.Config", PLAIN],
];

const HTTP_FILTERS: readonly (readonly [string, TypeRow])[] = [
  ...["jwt_authn.v3.JwtAuthentication", "jwt_authn.v3.PerRouteConfig", "rbac.v3.RBAC", "rbac.v3.RBACPerRoute"],
  ...["grpc_stats.v3.FilterConfig"],
].map((name) => [`${HTTP}${name}`, BEFORE]);

const HTTP_FILTERS_AFTER: readonly (readonly [string, TypeRow])[] = [
  ...["router.v3.Router", "cors.v3.Cors", "cors.v3.CorsPolicy", "csrf.v3.CsrfPolicy", "fault.v3.HTTPFault"],
  ...["buffer.v3.Buffer", "buffer.v3.BufferPerRoute", "compressor.v3.Compressor", "compressor.v3.CompressorPerRoute"],
  ...["local_ratelimit.v3.LocalRateLimit", "health_check.v3.HealthCheck", "cdn_loop.v3.CdnLoopConfig"],
  ...["grpc_web.v3.GrpcWeb", "grpc_http1_bridge.v3.Config", "stateful_session.v3.StatefulSession"],
  ...["stateful_session.v3.StatefulSessionPerRoute", "bandwidth_limit.v3.BandwidthLimit"],
  ...["admission_control.v3.AdmissionControl", "adaptive_concurrency.v3.AdaptiveConcurrency"],
  ...["set_filter_state.v3.Config", "on_demand.v3.OnDemand", "ip_tagging.v3.IPTagging", "composite.v3.Composite"],
  ...["composite.v3.ExecuteFilterAction", "decompressor.v3.Decompressor", "header_to_metadata.v3.Config"],
  ...["set_metadata.v3.Config", "upstream_codec.v3.UpstreamCodec", "basic_auth.v3.BasicAuth"],
].map((name) => [`${HTTP}${name}`, PLAIN]);

const HTTP_FILTERS_THAT_REWRITE: readonly (readonly [string, TypeRow])[] = [
  ...["header_mutation.v3.HeaderMutation", "header_mutation.v3.HeaderMutationPerRoute", "ratelimit.v3.RateLimit"],
  ...["ratelimit.v3.RateLimitPerRoute", "grpc_json_transcoder.v3.GrpcJsonTranscoder", "oauth2.v3.OAuth2"],
  ...["grpc_http1_reverse_bridge.v3.FilterConfig", "dynamic_forward_proxy.v3.FilterConfig"],
  ...["dynamic_forward_proxy.v3.PerRouteConfig", "custom_response.v3.CustomResponse"],
  ...["credential_injector.v3.CredentialInjector"],
].map((name) => [`${HTTP}${name}`, REWRITES]);

const OTHERS: readonly (readonly [string, TypeRow])[] = [
  ...["http_connection_manager.v3.HttpConnectionManager", "tcp_proxy.v3.TcpProxy", "rbac.v3.RBAC"].map(
    (name) => `${NETWORK}${name}`,
  ),
  ...["connection_limit.v3.ConnectionLimit", "local_ratelimit.v3.LocalRateLimit", "sni_cluster.v3.SniCluster"].map(
    (name) => `${NETWORK}${name}`,
  ),
  `${NETWORK}set_filter_state.v3.Config`,
  ...["original_dst.v3.OriginalDst", "tls_inspector.v3.TlsInspector", "http_inspector.v3.HttpInspector"].map(
    (name) => `${LISTENER}${name}`,
  ),
  ...["proxy_protocol.v3.ProxyProtocol", "local_ratelimit.v3.LocalRateLimit"].map((name) => `${LISTENER}${name}`),
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
  "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
  "envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
  "envoy.extensions.access_loggers.file.v3.FileAccessLog",
  "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
  "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
  "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
  "envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig",
  "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
  "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
  "envoy.extensions.formatter.metadata.v3.Metadata",
  "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
  "envoy.extensions.formatter.cel.v3.Cel",
  "envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
  "envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig",
  "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  "envoy.extensions.compression.gzip.compressor.v3.Gzip",
  "envoy.extensions.compression.brotli.compressor.v3.Brotli",
  "envoy.extensions.compression.zstd.compressor.v3.Zstd",
  "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
  "envoy.extensions.common.matching.v3.ExtensionWithMatcherPerRoute",
  "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
  "envoy.extensions.filters.common.matcher.action.v3.SkipFilter",
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
  "envoy.config.route.v3.FilterConfig",
  "envoy.config.trace.v3.ZipkinConfig",
  "envoy.config.trace.v3.OpenTelemetryConfig",
  "envoy.config.trace.v3.DatadogConfig",
  "envoy.config.trace.v3.SkyWalkingConfig",
  "envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
  "xds.type.matcher.v3.HttpAttributesCelMatchInput",
  "google.protobuf.StringValue",
].map((name) => [name, PLAIN]);

const KNOWN: ReadonlyMap<string, TypeRow> = new Map([
  ...ISTIO,
  ...HTTP_FILTERS,
  ...HTTP_FILTERS_AFTER,
  ...HTTP_FILTERS_THAT_REWRITE,
  ...OTHERS,
]);

/** Code of others, in Envoy or behind a call of its: by a part of the type's name, so that future versions are covered. */
const CODE = /(?:^|[._])(?:lua|wasm|golang|dynamic_modules|ext_proc|ext_authz|lambda)(?:[._]|$)|DynamicOtConfig$/i;

export function knownType(type: string): TypeRow | undefined {
  return KNOWN.get(type);
}

export function isCode(type: string): boolean {
  return CODE.test(type);
}
