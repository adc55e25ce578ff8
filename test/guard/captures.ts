/** The workloads whose configuration is captured, and the objects that make istiod send it. */
import { readFileSync } from "node:fs";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import type { CapturedNode } from "./ads-capture.ts";

export interface Capture {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: CapturedNode;
}

const LABELS = { app: "shop" };
/** Digest of a module that nobody has to fetch here. */
export const MODULE_SHA256: string = "5f1d7c9a".repeat(8);
export const JWKS: string = readFileSync(projectFile("test/guard/jwks.json"), "utf8").trim();
export const ISSUER = "https://issuer.example.com";

export const CAPTURES: readonly Capture[] = [
  {
    name: "sidecar-redirect",
    labels: LABELS,
    node: node("sidecar", "team-a", "10.1.0.5", { INTERCEPTION_MODE: "REDIRECT" }),
  },
  {
    name: "sidecar-strict",
    labels: LABELS,
    node: node("sidecar", "team-b", "10.1.0.6", { INTERCEPTION_MODE: "REDIRECT" }),
  },
  { name: "sidecar-none", labels: LABELS, node: node("sidecar", "team-c", "127.0.0.9", { INTERCEPTION_MODE: "NONE" }) },
  { name: "gateway", labels: LABELS, node: node("router", "team-d", "10.1.0.7", {}) },
];

function node(type: string, namespace: string, address: string, more: Readonly<Record<string, string>>): CapturedNode {
  return {
    id: `${type}~${address}~shop.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      ...{ NAMESPACE: namespace, LABELS, CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.32.0" },
      ...{ SERVICE_ACCOUNT: "shop", WORKLOAD_NAME: "shop", INSTANCE_IPS: address, ...more },
    },
  };
}

/** @param belt - deploy/kubernetes/namespace/belt.yaml */
export function objectsOf(belt: unknown): readonly unknown[] {
  return [
    ...["team-a", "team-b", "team-c", "team-d", "other"].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
    })),
    ...peers(),
    ...zipkin(),
    ...["team-a", "team-b"].flatMap((namespace, at) => sidecar(namespace, `10.1.0.${5 + at}`)),
    mutual("team-b"),
    ...unintercepted("team-c"),
    ...gateway("team-d"),
    ...["team-a", "team-b", "team-c"].flatMap((namespace) => protection(namespace, belt, "SERVER")),
    ...protection("team-d", inGateways(belt), "CLIENT"),
  ];
}

/** Somebody else's Service, so that there is something to send to. */
function peers(): readonly unknown[] {
  const ports = [
    { number: 80, name: "http", protocol: "HTTP" },
    { number: 8080, name: "http-too", protocol: "HTTP" },
    { number: 9000, name: "tcp", protocol: "TCP" },
  ];
  return [serviceEntry("other", "peer", { ports, endpoints: [{ address: "10.2.0.1" }] })];
}

function zipkin(): readonly unknown[] {
  const ports = [{ port: 9411, name: "http" }];
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "zipkin", namespace: "istio-system" },
      spec: { ports, selector: { app: "zipkin" } },
    },
  ];
}

function sidecar(namespace: string, address: string): readonly unknown[] {
  const ports = [
    { number: 80, name: "http", protocol: "HTTP", targetPort: 8080 },
    { number: 9000, name: "tcp", protocol: "TCP", targetPort: 9000 },
    { number: 7070, name: "grpc", protocol: "GRPC", targetPort: 7070 },
  ];
  return [
    serviceEntry(namespace, "shop", { ports, workloadSelector: { labels: LABELS } }),
    {
      ...{ apiVersion: "networking.istio.io/v1", kind: "WorkloadEntry", metadata: { name: "shop", namespace } },
      spec: { address, labels: LABELS, serviceAccount: "shop" },
    },
  ];
}

function serviceEntry(namespace: string, name: string, spec: object): unknown {
  const hosts = [`${name}.${namespace}.example`];
  return {
    ...{ apiVersion: "networking.istio.io/v1", kind: "ServiceEntry", metadata: { name, namespace } },
    spec: { hosts, location: "MESH_INTERNAL", resolution: "STATIC", ...spec },
  };
}

function mutual(namespace: string): unknown {
  return {
    ...{ apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata: { name: "default", namespace } },
    spec: { mtls: { mode: "STRICT" } },
  };
}

function unintercepted(namespace: string): readonly unknown[] {
  return [
    {
      ...{ apiVersion: "networking.istio.io/v1", kind: "Sidecar", metadata: { name: "shop", namespace } },
      spec: {
        workloadSelector: { labels: LABELS },
        ingress: [
          {
            port: { number: 8080, name: "http", protocol: "HTTP" },
            ...{ bind: "127.0.0.9", captureMode: "NONE", defaultEndpoint: "127.0.0.1:18080" },
          },
        ],
        egress: [
          {
            port: { number: 80, name: "http", protocol: "HTTP" },
            bind: "127.0.0.9",
            captureMode: "NONE",
            hosts: ["other/*"],
          },
        ],
      },
    },
  ];
}

function gateway(namespace: string): readonly unknown[] {
  const metadata = { name: "shop", namespace };
  return [
    serviceEntry(namespace, "app", {
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      endpoints: [{ address: "10.3.0.1" }],
    }),
    {
      ...{ apiVersion: "v1", kind: "Service", metadata },
      spec: {
        selector: LABELS,
        ports: [
          { name: "http", port: 80, targetPort: 8080 },
          { name: "https", port: 443, targetPort: 8443 },
        ],
      },
    },
    {
      ...{ apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata },
      spec: {
        selector: LABELS,
        servers: [
          { port: { number: 8080, name: "http", protocol: "HTTP" }, hosts: ["shop.example"] },
          {
            port: { number: 8443, name: "https", protocol: "HTTPS" },
            ...{ hosts: ["shop.example"], tls: { mode: "SIMPLE", credentialName: "shop" } },
          },
        ],
      },
    },
    {
      ...{ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata },
      spec: {
        ...{ hosts: ["shop.example"], gateways: [`${namespace}/shop`] },
        http: [
          {
            match: [{ uri: { prefix: "/old/" } }],
            rewrite: { uri: "/new/" },
            corsPolicy: { allowOrigins: [{ exact: "https://shop.example" }] },
            route: [{ destination: { host: `app.${namespace}.example`, port: { number: 80 } } }],
          },
          { route: [{ destination: { host: `app.${namespace}.example`, port: { number: 80 } } }] },
        ],
      },
    },
  ];
}

function protection(namespace: string, belt: unknown, mode: "SERVER" | "CLIENT"): readonly unknown[] {
  return [
    { ...(belt as object), metadata: { name: "wpgate-belt", namespace } },
    {
      ...{ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "wpgate", namespace } },
      spec: {
        ...{ url: "https://modules.example.com/wpgate.wasm", sha256: MODULE_SHA256, phase: "AUTHZ" },
        ...{ failStrategy: "FAIL_RELOAD", match: [{ mode }], pluginConfig: { wpgate: 1, sets: [] } },
        vmConfig: { env: [{ name: "WPGATE_RECIPIENT", valueFrom: "HOST" }] },
      },
    },
    {
      ...{ apiVersion: "security.istio.io/v1", kind: "RequestAuthentication", metadata: { name: "issuer", namespace } },
      spec: { jwtRules: [{ issuer: ISSUER, jwks: JWKS }] },
    },
    {
      ...{ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name: "native", namespace } },
      spec: { action: "DENY", rules: [{ to: [{ operation: { paths: ["/native"] } }] }] },
    },
  ];
}

/** As deploy/kubernetes/gateway patches it. */
function inGateways(belt: unknown): unknown {
  return JSON.parse(JSON.stringify(belt).replace("SIDECAR_INBOUND", "GATEWAY"));
}
