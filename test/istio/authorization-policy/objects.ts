/** Istio's objects around the policies: listeners, mTLS, tokens, and what an answer says about its reasons. */
import { ISSUERS, NAMESPACE, type Entrances, type Side } from "./place.ts";

const NETWORKING = "networking.istio.io/v1";
const SECURITY = "security.istio.io/v1";

/** Answer headers. */
export const SAID = {
  /** Envoy's words; native RBAC names the rule in them. */
  details: "x-details",
  denyShadow: "x-deny-shadow",
  allowShadow: "x-allow-shadow",
  /** What the filter leaves for access logs. */
  rule: "x-rule",
  dryRun: "x-dry-run",
} as const;

const SHADOW = "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run";
const WORDS: Readonly<Record<keyof typeof SAID, string>> = {
  details: "%RESPONSE_CODE_DETAILS%",
  denyShadow: `${SHADOW}_deny_shadow_engine_result)%`,
  allowShadow: `${SHADOW}_allow_shadow_engine_result)%`,
  rule: "%FILTER_STATE(wasm.rule:PLAIN)%",
  dryRun: "%FILTER_STATE(wasm.dry_run:PLAIN)%",
};

/** The two listeners of one side, without iptables. */
export function sidecar(options: {
  readonly side: Side;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrances: Entrances;
  readonly appPort: number;
}): unknown {
  const { side, labels, entrances, appPort } = options;
  return {
    apiVersion: NETWORKING,
    kind: "Sidecar",
    metadata: { name: side, namespace: NAMESPACE },
    spec: {
      workloadSelector: { labels },
      ingress: entrances.map(({ port, addresses }, index) => ({
        port: { number: port, name: `http-${index}`, protocol: "HTTP" },
        ...{ bind: addresses[side], captureMode: "NONE", defaultEndpoint: `127.0.0.1:${appPort}` },
      })),
      egress: [{ hosts: ["~/*"] }],
    },
  };
}

/** For both sides. */
export function commonObjects(jwks: string): readonly unknown[] {
  const jwtRules = ISSUERS.map((issuer) => ({ issuer, jwks, forwardOriginalToken: true }));
  const headers = Object.entries(SAID).map(([word, key]) => ({
    header: { key, value: WORDS[word as keyof typeof SAID] },
  }));
  return [
    {
      apiVersion: SECURITY,
      kind: "PeerAuthentication",
      metadata: { name: "default", namespace: NAMESPACE },
      spec: { mtls: { mode: "PERMISSIVE" } },
    },
    {
      apiVersion: SECURITY,
      kind: "RequestAuthentication",
      metadata: { name: "default", namespace: NAMESPACE },
      spec: { jwtRules },
    },
    {
      apiVersion: "networking.istio.io/v1alpha3",
      kind: "EnvoyFilter",
      metadata: { name: "said", namespace: NAMESPACE },
      spec: {
        configPatches: [
          {
            applyTo: "VIRTUAL_HOST",
            match: { context: "SIDECAR_INBOUND" },
            patch: { operation: "MERGE", value: { response_headers_to_add: headers } },
          },
        ],
      },
    },
  ];
}
