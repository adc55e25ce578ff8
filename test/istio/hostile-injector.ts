/** A hostile istiod: it injects as the real one does, and then changes what it likes. No code of Istio's binds it. */
import { once } from "node:events";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { injectionWebhook } from "../lab/injection.ts";
import type { Lab } from "../lab/lab.ts";
import { Authority } from "../scenarios/certificates.ts";

export const OTHER_IMAGE: string = `registry.example.com/mine@sha256:${"2".repeat(64)}`;
/** The label by which a pod chooses what becomes of it. */
export const ATTACK = "attack";

/** What a pod of the tests comes to: wpgate-proxy, migrate, istio-init; shop, istio-proxy. */
const PROXY = "/spec/initContainers/0";
const REDIRECTION = "/spec/initContainers/2";
const SHOP = "/spec/containers/0";
const ENVOY = "/spec/containers/1";
const CONFIG_VOLUME = "/spec/volumes/9";
const ANNOTATIONS = "/metadata/annotations";
const PROXY_CONFIG = { name: "PROXY_CONFIG", value: '{"discoveryAddress":"istiod.istio-system.svc:15012"}' };

interface Operation {
  readonly op: "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}
interface Attack {
  readonly does: readonly Operation[];
  /** What the API server says of it. */
  readonly says: string;
}

const set = (path: string, value: unknown): Operation => ({ op: "add", path, value });

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "another-proxy": { does: [set(`${PROXY}/image`, OTHER_IMAGE)], says: "wpgate-proxy: image" },
  "another-configuration": {
    does: [set(`${PROXY}/args`, ["proxy", "--config", "/tmp/proxy.yaml"])],
    says: "wpgate-proxy: args",
  },
  "another-command": { does: [set(`${PROXY}/command`, ["sleep", "infinity"])], says: "wpgate-proxy: command" },
  "code-by-environment": {
    does: [set(`${PROXY}/env`, [{ name: "NODE_OPTIONS", value: "--require=/tmp/x" }])],
    says: "wpgate-proxy: env",
  },
  "code-by-mount": {
    does: [
      set("/spec/volumes/-", { name: "mine", configMap: { name: "mine" } }),
      set(`${PROXY}/volumeMounts/-`, { name: "mine", mountPath: "/app" }),
    ],
    says: "wpgate-proxy: volumeMounts",
  },
  "code-by-token-mount": {
    does: [
      set("/spec/volumes/-", { name: "kube-api-access-mine", configMap: { name: "mine" } }),
      set(`${PROXY}/volumeMounts/-`, { name: "kube-api-access-mine", mountPath: "/app" }),
    ],
    says: "wpgate-proxy: volumeMounts",
  },
  "a-hook": { does: [set(`${PROXY}/lifecycle`, { postStart: { exec: { command: ["id"] } } })], says: "lifecycle" },
  root: { does: [set(`${PROXY}/securityContext/runAsUser`, 1000)], says: "wpgate-proxy: securityContext" },
  "no-proxy": { does: [{ op: "remove", path: PROXY }], says: "no container wpgate-proxy" },
  "a-proxy-that-ends": {
    does: [
      { op: "remove", path: `${PROXY}/restartPolicy` },
      { op: "remove", path: `${PROXY}/startupProbe` },
      { op: "remove", path: `${PROXY}/livenessProbe` },
    ],
    says: "wpgate-proxy: restartPolicy",
  },
  "past-the-proxy": { does: [set(`${ENVOY}/env/-`, PROXY_CONFIG)], says: "istio-proxy: env" },
  "past-the-proxy-by-annotation": {
    does: [set(`${ANNOTATIONS}/proxy.istio.io~1config`, PROXY_CONFIG.value)],
    says: "annotation proxy.istio.io/config",
  },
  "own-bootstrap": {
    does: [
      set("/spec/volumes/-", { name: "mine", configMap: { name: "mine" } }),
      set(`${ENVOY}/volumeMounts/-`, { name: "mine", mountPath: "/var/lib/istio/envoy" }),
    ],
    says: "istio-proxy: volumeMounts",
  },
  "environment-from-elsewhere": {
    does: [set(`${ENVOY}/envFrom`, [{ configMapRef: { name: "mine" } }])],
    says: "istio-proxy: envFrom",
  },
  "a-door-for-probes": {
    does: [set(`${ENVOY}/env/-`, { name: "ISTIO_KUBE_APP_PROBERS", value: "{}" })],
    says: "istio-proxy: env",
  },
  "another-envoy": { does: [set(`${ENVOY}/image`, OTHER_IMAGE)], says: "istio-proxy: image" },
  "a-port-left-out": { does: [set(`${REDIRECTION}/args`, ["istio-iptables", "-d", "8080"])], says: "istio-init: args" },
  "no-redirection": { does: [{ op: "remove", path: REDIRECTION }], says: "no container istio-init" },
  "another-trust-root": {
    does: [set(`${ANNOTATIONS}/wpgate.dev~1pin.json`, "{}")],
    says: "annotation wpgate.dev/pin.json",
  },
  "a-configmap-as-trust-root": {
    does: [{ op: "replace", path: CONFIG_VOLUME, value: { name: "wpgate-config", configMap: { name: "mine" } } }],
    says: "volume wpgate-config",
  },
  "the-state-in-the-application": {
    does: [set(`${SHOP}/volumeMounts/-`, { name: "wpgate-state", mountPath: "/x" })],
    says: "the volumes of the proxies are mounted by the proxies only",
  },
  "a-privileged-application": {
    does: [set(`${SHOP}/securityContext`, { privileged: true })],
    says: "privileged or add capabilities",
  },
  "the-network-of-the-node": { does: [set("/spec/hostNetwork", true)], says: "none of hostNetwork" },
};

export class HostileIstiod {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Asked by the API server in the place of the good one, which was there when the platform team pinned. */
  static async start(lab: Lab): Promise<HostileIstiod> {
    const authority = await Authority.create();
    const { key, certificate } = await authority.issue({ ip: "127.0.0.1", commonName: "istiod" });
    const server = createServer({ key, cert: certificate }, (asked, answer) => {
      void (async (): Promise<void> => {
        const review = await textOf(asked);
        const { request: about } = JSON.parse(review) as { request: { object: Labelled } };
        const injected = JSON.parse(await inject(lab.istiod.injectionUrl, review)) as { response: { patch: string } };
        const { response } = injected;
        const before = JSON.parse(Buffer.from(response.patch, "base64").toString()) as readonly unknown[];
        const more = ATTACKS[about.object.metadata.labels?.[ATTACK] ?? ""]?.does ?? [];
        const patch = Buffer.from(JSON.stringify([...before, ...more])).toString("base64");
        answer.writeHead(200, { "content-type": "application/json" });
        answer.end(JSON.stringify({ ...injected, response: { ...response, patch } }));
      })().catch((error: unknown) => answer.writeHead(500).end(String(error)));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await lab.apply(injectionWebhook(`https://127.0.0.1:${port}/inject`, authority.certificate));
    return new HostileIstiod(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

interface Labelled {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
}

/** The real injector's answer; its certificate is the lab's own business. */
async function inject(url: string, review: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const asked = request(url, { method: "POST", headers, rejectUnauthorized: false });
  asked.end(review);
  const [answer] = (await once(asked, "response")) as [AsyncIterable<Buffer>];
  return await textOf(answer);
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
