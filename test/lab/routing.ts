/** Istio's objects that make an Envoy of the lab listen and hand on what it gets. */
interface Place {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly port: number;
  readonly appPort: number;
}

/** A sidecar without iptables: the inbound listener is bound to the workload's own address, nothing goes out. */
export function sidecarObjects({ namespace, name, labels, address, port, appPort }: Place): readonly unknown[] {
  return [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: { name, namespace },
      spec: {
        workloadSelector: { labels },
        ingress: [
          {
            port: { number: port, name: "http", protocol: "HTTP" },
            ...{ bind: address, captureMode: "NONE", defaultEndpoint: `127.0.0.1:${appPort}` },
          },
        ],
        egress: [{ hosts: ["~/*"] }],
      },
    },
    plainText(namespace),
  ];
}

export function gatewayObjects({ namespace, name, labels, address, port, appPort }: Place): readonly unknown[] {
  const host = `${name}.example`;
  const metadata = { name, namespace };
  return [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata,
      spec: {
        ...{ hosts: [host], location: "MESH_INTERNAL", resolution: "STATIC" },
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        endpoints: [{ address: "127.0.0.1", ports: { http: appPort } }],
      },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata,
      spec: {
        selector: labels,
        servers: [{ port: { number: port, name: "http", protocol: "HTTP" }, bind: address, hosts: ["*"] }],
      },
    },
    {
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata,
      spec: {
        ...{ hosts: ["*"], gateways: [`${namespace}/${name}`] },
        http: [{ route: [{ destination: { host, port: { number: 80 } } }] }],
      },
    },
    plainText(namespace),
  ];
}

/** Without it Envoy waits for certificates of an agent that is not there. */
function plainText(namespace: string): unknown {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace },
    spec: { mtls: { mode: "DISABLE" } },
  };
}
