/** A view of a proxy as tests need it. */
import type { NamespaceView, ProxyView, StreamView, TypeResources } from "../../xds-proxy/src/proxy/view.ts";
import { LISTENER } from "../../xds-proxy/src/xds/type-url.ts";

export const NOW_MS: number = Date.parse("2030-01-01T00:00:00Z");
export const NODE = "sidecar~10.0.0.7~app-1.team-a~team-a.svc.cluster.local";

export const STREAM: StreamView = {
  ...{ id: "1", nodeId: NODE, namespace: "team-a", peer: "127.0.0.1:40000", protocol: "sotw", mode: "check" },
  ...{ openedMs: NOW_MS - 600_000, lastActivityMs: NOW_MS - 1_000 },
  upstream: { state: "connected", sinceMs: NOW_MS - 600_000, lastMessageMs: NOW_MS - 2_000 },
  types: [
    {
      ...{ typeUrl: LISTENER, short: "LDS", subscribed: "*", version: "v7", pendingCount: 1, acceptedCount: 3 },
      lastRefusal: {
        ...{ code: "filter-missing", resource: "virtualInbound", atMs: NOW_MS - 30_000 },
        reason: "filter_chains[0] has no wpgate filter",
      },
    },
  ],
};

export const NAMESPACE: NamespaceView = {
  ...{ namespace: "team-a", rootEp: 2, setVer: "1893456000000", expSec: NOW_MS / 1000 + 3_600 },
};

export const RESOURCES: readonly TypeResources[] = [
  {
    ...{ typeUrl: LISTENER, short: "LDS", version: "v7" },
    resources: [{ name: "virtualInbound", version: "", sha256: "00".repeat(32), lengthBytes: 1234 }],
  },
];

export interface Changes {
  readonly streams?: readonly StreamView[];
  readonly namespaces?: readonly NamespaceView[];
  /** Why it is not ready. */
  readonly reason?: string;
}

export function proxyView({ streams = [STREAM], namespaces = [NAMESPACE], reason }: Changes = {}): ProxyView {
  return {
    mode: "check",
    streams: () => streams,
    resources: (nodeId) => (nodeId === NODE ? RESOURCES : undefined),
    namespaces: () => namespaces,
    readiness: () => ({ ready: reason === undefined, reason: reason ?? "ready" }),
    storeQueueCount: () => 5,
  };
}
