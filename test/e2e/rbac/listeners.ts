/** One Envoy with two listeners for each group: native RBAC behind one, wpgate behind the other, all else the same. */
import type { KeyAndCertificate } from "../../scenarios/certificates.ts";
import type { Json } from "./native.ts";

export interface ListenerOptions {
  readonly name: string;
  /** The HTTP filters between JWT verification and the router. */
  readonly filters: readonly Json[];
  readonly normalize: boolean;
  /** Takes TLS connections beside plain ones. */
  readonly tls: boolean;
}

export interface SharedOptions {
  readonly jwks: string;
  readonly server: KeyAndCertificate;
  readonly clientAuthority: string;
}

/** Answer headers in which native RBAC's dry-run results come back. */
export const DENY_SHADOW = "x-deny-shadow";
export const ALLOW_SHADOW = "x-allow-shadow";
/** And what wpgate leaves for access logs. */
export const DRY_RUN = "x-dry-run";
export const RULE = "x-rule";
export const AUDIT = "x-audit";

const type = (name: string): { readonly "@type": string } => ({ "@type": `type.googleapis.com/envoy.${name}` });

export const WORKLOAD = { NAMESPACE: "team-a", LABELS: { app: "web", version: "v1" } } as const;

export function bootstrapOf(listeners: readonly ListenerOptions[], shared: SharedOptions): Json {
  return {
    node: { id: "app.team-a", cluster: "app", metadata: WORKLOAD },
    admin: { address: loopback() },
    static_resources: { listeners: listeners.map((listener) => listenerOf(listener, shared)) },
  };
}

function listenerOf(options: ListenerOptions, shared: SharedOptions): Json {
  const filters = [connectionManager(options, shared.jwks)];
  return {
    name: options.name,
    address: loopback(),
    listener_filters: [
      {
        name: "proxy-protocol",
        typed_config: type("extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"),
      },
      { name: "tls-inspector", typed_config: type("extensions.filters.listener.tls_inspector.v3.TlsInspector") },
    ],
    filter_chains: [
      { filter_chain_match: { transport_protocol: "raw_buffer" }, filters },
      ...(options.tls
        ? [{ filter_chain_match: { transport_protocol: "tls" }, transport_socket: tls(shared), filters }]
        : []),
    ],
  };
}

function loopback(): Json {
  return { socket_address: { address: "127.0.0.1", port_value: 0 } };
}

function tls({ server, clientAuthority }: SharedOptions): Json {
  return {
    name: "tls",
    typed_config: {
      ...type("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      require_client_certificate: false,
      common_tls_context: {
        tls_certificates: [
          { certificate_chain: { inline_string: server.certificate }, private_key: { inline_string: server.key } },
        ],
        validation_context: { trusted_ca: { inline_string: clientAuthority } },
      },
    },
  };
}

function connectionManager({ filters, normalize }: ListenerOptions, jwks: string): Json {
  return {
    name: "http",
    typed_config: {
      ...type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
      stat_prefix: "http",
      use_remote_address: false,
      normalize_path: normalize,
      route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [route()] }] },
      http_filters: [
        jwtFilter(jwks),
        ...filters,
        { name: "router", typed_config: type("extensions.filters.http.router.v3.Router") },
      ],
    },
  };
}

function route(): Json {
  const header = (key: string, value: string): Json => ({ header: { key, value } });
  const shadow = (name: string, action: string): Json =>
    header(name, `%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_${action}_shadow_engine_result)%`);
  return {
    match: { prefix: "" },
    direct_response: { status: 200 },
    response_headers_to_add: [
      shadow(DENY_SHADOW, "deny"),
      shadow(ALLOW_SHADOW, "allow"),
      header(DRY_RUN, "%FILTER_STATE(wasm.dry_run:PLAIN)%"),
      header(RULE, "%FILTER_STATE(wasm.rule:PLAIN)%"),
      header(AUDIT, "%FILTER_STATE(wasm.audit:PLAIN)%"),
    ],
  };
}

/** Verifies a token where there is one, as istiod's configuration does. */
function jwtFilter(jwks: string): Json {
  return {
    name: "envoy.filters.http.jwt_authn",
    typed_config: {
      ...type("extensions.filters.http.jwt_authn.v3.JwtAuthentication"),
      providers: { test: { local_jwks: { inline_string: jwks }, payload_in_metadata: "payload", forward: true } },
      rules: [
        {
          match: { prefix: "" },
          requires: { requires_any: { requirements: [{ provider_name: "test" }, { allow_missing: {} }] } },
        },
      ],
    },
  };
}
