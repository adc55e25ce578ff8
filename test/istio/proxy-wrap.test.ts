/**
 * Wrapping proxy beside istiod, unwrapping proxy beside Envoy, each a program of its own, over TCP with certificates and the
 * tokens of Kubernetes; istiod's secure port lets each node in with its own token.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { encodeSigningKeyPem } from "../../xds-proxy/src/crypto/key-files.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { freePort } from "../lab/free-port.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { AdsClient } from "../proxy/harness/ads-client.ts";
import { proxyTrust, type ProxyTrust } from "../proxy/harness/proxy-config.ts";
import { ProxyProcess } from "../proxy/harness/proxy-process.ts";
import { Authority } from "../scenarios/certificates.ts";
import { Owner } from "../scenarios/owner.ts";
import { allow } from "../lab/guarded-place.ts";
import { Proxied } from "../lab/proxied.ts";
import { RequestLoop } from "./request-loop.ts";

const NAMESPACES = { sotw: "team-a", delta: "team-b" } as const;
const RIGHT = { "/orders/1": [200], "/customers": [403] };

let lab: Lab;
let authority: Authority;
beforeAll(async () => {
  lab = await Lab.start({ injection: {}, istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  authority = await Authority.create();
});
afterAll(() => lab.stop());

describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
  const namespace = NAMESPACES[protocol];
  let folder: string;
  let owner: Owner;
  /** Of the root namespace. */
  let root: Owner;
  let trust: ProxyTrust;
  let module: PinnedModule;
  let port: number;
  let wrapping: ProxyProcess;
  let proxied: Proxied;
  let sets = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "wpgate-wrap-"));
    owner = await Owner.create({ ns: namespace });
    trust = await proxyTrust(owner);
    root = trust.owner;
    module = await PinnedModule.create(trust.files["pin.json"] ?? "");
    port = await freePort();
    await lab.apply(
      { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } },
    );
    await writeFile(join(folder, "bundle.json"), trust.files["bundle.json"] ?? "");
    wrapping = await startWrapping(trust.files["push.pem"] ?? "");
    proxied = await startProxied();
  });
  afterAll(async () => {
    await proxied.stop();
    await wrapping.stop();
    await module.remove();
    await rm(folder, { recursive: true });
  });

  async function startWrapping(key: string, bundle: string = join(folder, "bundle.json")): Promise<ProxyProcess> {
    const server = await authority.issue({ ip: "127.0.0.1", commonName: "wpgate-wrap" });
    const { issuer } = JSON.parse(await lab.kubectl(["get", "--raw", "/.well-known/openid-configuration"])) as {
      issuer: string;
    };
    return await ProxyProcess.start({
      files: {
        ...{ "push.pem": key, "tls.crt": server.certificate, "tls.key": server.key, "ca.crt": authority.certificate },
        ...{ "jwks.json": await lab.kubectl(["get", "--raw", "/openid/v1/jwks"]) },
        ...{ "istiod.crt": lab.istiodAuthority ?? "" },
      },
      config: {
        ...{ mode: "wrap", state: "state", log: { level: "info" } },
        upstream: { address: `127.0.0.1:${lab.istiod.securePort}`, tls: { ca: "istiod.crt" } },
        listen: [{ address: `127.0.0.1:${port}`, tls: { cert: "tls.crt", key: "tls.key", clientCa: "ca.crt" } }],
        identity: { jwt: { issuer, audience: "istio-ca", jwks: "jwks.json" }, mtls: true, upstream: "token" },
        wrap: { key: "push.pem", bundle, contact: "mailto:mesh@example.com", heartbeatSec: 1 },
      },
    });
  }

  async function startProxied(): Promise<Proxied> {
    const uri = `spiffe://cluster.local/ns/${namespace}/sa/default`;
    const { certificate, key } = await authority.issue({ uri });
    return await Proxied.start({
      ...{ lab, kind: "sidecar", pin: trust.files["pin.json"] ?? "", namespace, name: "shop", labels: { app: "shop" } },
      ...{ delta: protocol === "delta", parentShutdownTimeSec: 1 },
      files: {
        ...{ "tls.crt": certificate, "tls.key": key, "ca.crt": authority.certificate },
        token: await lab.kubectl(["create", "token", "default", "-n", namespace, "--audience=istio-ca"]),
      },
      config: {
        ...{ mode: "unwrap", unwrap: { heartbeatSec: 1 } },
        upstream: {
          ...{ address: `127.0.0.1:${port}`, token: "token" },
          tls: { ca: "ca.crt", cert: "tls.crt", key: "tls.key" },
        },
      },
    });
  }

  async function say(path: string): Promise<void> {
    const ver = String(++sets);
    const bundles = [await owner.bundle({ policies: [allow(path)], ver }), await root.bundle({ policies: [], ver })];
    await lab.apply(module.plugin({ namespace, selector: { app: "shop" }, bundles }));
  }

  /** Everything works, and what is said now arrives. */
  async function expectConverging(): Promise<void> {
    const loop = new RequestLoop(proxied.workload, "/never");
    await say("/customers*");
    await proxied.workload.answers("/customers", 200, 40_000);
    await say("/orders*");
    await proxied.workload.answers("/orders/1", 200, 40_000);
    await proxied.workload.answers("/customers", 403);
    expect(await loop.stop()).toEqual({ "/never": [403] });
  }

  async function logged(proxy: ProxyProcess, text: string, since: number): Promise<void> {
    await until({
      what: text,
      timeoutMs: 20_000,
      context: () => proxy.log.tail(4),
      probe: () => (proxy.log.since(since).some((line) => line.includes(text)) ? true : undefined),
    });
  }

  test("the sidecar enforces what the owner says", async () => {
    await proxied.workload.answers("/orders/1", 503);
    await say("/orders*");
    await proxied.workload.answers("/orders/1", 200);
    await proxied.workload.answers("/customers", 403);
  });

  test.each([
    ["another namespace", { NAMESPACE: "elsewhere" }, "a node of namespace elsewhere, by its certificate of namespace"],
    ["another service account", { SERVICE_ACCOUNT: "admin" }, "/admin, by its certificate of"],
  ] as const)("a node of %s is refused and gets nothing", async (_what, metadata, sentence) => {
    const place: Readonly<Record<string, string>> = { NAMESPACE: namespace, ...metadata };
    const ns = place["NAMESPACE"] ?? "";
    const since = wrapping.log.count;
    const id = `sidecar~127.0.0.1~thief.${ns}~${ns}.svc.cluster.local`;
    const client = AdsClient.connect({ address: `unix:${proxied.socket}`, protocol, node: { id, metadata: place } });
    try {
      client.subscribe(LISTENER);
      await logged(wrapping, sentence, since);
      expect(client.count).toBe(0);
    } finally {
      client.close();
    }
  });

  test("istiod's end and return are seen by nobody", async () => {
    const loop = new RequestLoop(proxied.workload, ...Object.keys(RIGHT));
    await lab.istiod.stop();
    await proxied.workload.answers("/orders/1", 200);
    await lab.istiod.resume();
    expect(await loop.stop()).toEqual(RIGHT);
    await expectConverging();
  });

  test("neither is a wrapping proxy that is killed and replaced", async () => {
    const loop = new RequestLoop(proxied.workload, ...Object.keys(RIGHT));
    await wrapping.kill();
    await until({
      what: "the loss of the upstream",
      timeoutMs: 20_000,
      probe: async () => ((await proxied.upstreamState()) === "connected" ? undefined : true),
    });
    await proxied.workload.hotRestart();
    wrapping = await startWrapping(trust.files["push.pem"] ?? "");
    await untilConnected();
    expect(await loop.stop()).toEqual(RIGHT);
    await expectConverging();
  });

  describe("push keys change", () => {
    const next = SigningKey.generate();

    test("without a pause", async () => {
      const since = wrapping.log.count;
      const loop = new RequestLoop(proxied.workload, ...Object.keys(RIGHT));
      await publishRoot(since, {
        keys: [...root.root.keys, { publicKey: next.publicKey, roles: ["push"] }],
      });
      await wrapping.stop();
      wrapping = await startWrapping(encodeSigningKeyPem(next));
      await untilConnected();
      expect(await loop.stop()).toEqual(RIGHT);
      await expectConverging();
    });

    test("and those that are no longer in the root count for nothing, also after a new start", async () => {
      const keys = root.root.keys.filter(
        ({ publicKey, roles }) => !roles.includes("push") || publicKey === next.publicKey,
      );
      await publishRoot(wrapping.log.count, { keys, minEp: root.root.ep + 1 });
      await expectConverging();

      const bundle = join(folder, "old.json");
      await writeFile(bundle, trust.files["bundle.json"] ?? "");
      await wrapping.stop();
      wrapping = await startWrapping(trust.files["push.pem"] ?? "", bundle);
      await proxied.restartProxy();
      await logged(proxied.proxy, "KEY_UNKNOWN", 0);
      await proxied.workload.answers("/orders/1", 200);
      await wrapping.stop();
      wrapping = await startWrapping(encodeSigningKeyPem(next));
      await untilConnected();
      await expectConverging();
    });
  });

  /** The next root, for a wrapping proxy that is running and whose log has so many lines. */
  async function publishRoot(since: number, changes: Partial<Owner["root"]>): Promise<void> {
    root = await root.rotate({ keys: root.keys, root: changes });
    await writeBundle();
    await logged(wrapping, `"rootEp":${root.root.ep}`, since);
  }

  async function writeBundle(): Promise<void> {
    await writeFile(join(folder, "bundle.json"), encodeBundle([await root.bundle({ policies: [], ver: "1" })]));
  }

  async function untilConnected(): Promise<void> {
    await until({
      what: "the upstream again",
      timeoutMs: 40_000,
      context: () => proxied.proxy.log.tail(4),
      probe: async () => ((await proxied.upstreamState()) === "connected" ? true : undefined),
    });
  }
});
