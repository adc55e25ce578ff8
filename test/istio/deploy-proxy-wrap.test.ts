/** deploy/kubernetes/wrap and proxy-unwrap as they are shipped: istiod → wrap → unwrap in a pod → istio-agent → Envoy. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { Container, type ContainerSpec } from "../lab/container.ts";
import { freePort } from "../lab/free-port.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { ISTIOD, ISTIOD_ROOTS, ProxiedPod } from "../lab/proxied-pod.ts";
import { proxyTrust } from "../proxy/harness/proxy-config.ts";
import { Authority } from "../scenarios/certificates.ts";
import { Owner, type SignedObject } from "../scenarios/owner.ts";
import { at, build } from "./deployment.ts";
import { admitted, buildApp, makeNamespace, NS, podOf } from "./proxied-app.ts";

const PROGRAM = projectFile("dist/cli/main.js");
const WRAP = "wpgate-wrap.istio-system.svc:15112";
/** What the API server of the lab calls itself; in a cluster it is what the shipped file says, or what this prints. */
const ISSUER = ["get", "--raw", "/.well-known/openid-configuration"];

let lab: Lab;
/** Of the wrapping proxy, and of the application. */
let port: number;
let guarded: number;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start({ injection: {} });
  running.push(lab);
  await makeNamespace(lab);
  port = await freePort();
  guarded = await freePort();
});
afterAll(async () => {
  for (const one of running.reverse()) await one.stop();
});

it("carries what istiod says, signed, to an Envoy that enforces what the owner says", async () => {
  const owner = await Owner.create({ ns: NS });
  const trust = await proxyTrust(owner);
  const pin = trust.files["pin.json"] ?? "";
  const module = await PinnedModule.create(pin);
  running.push({ stop: () => module.remove() });
  const authority = await Authority.create();
  running.push(await startWrap(trust.files, authority));
  await lab.apply(
    module.plugin({
      ...{ namespace: NS, selector: {} },
      bundles: [
        await owner.bundle({
          policies: [{ name: "orders", spec: { rules: [{ to: [{ operation: { paths: ["/orders"] } }] }] } }],
          objects: [guard(module.sha256)],
        }),
        await trust.owner.bundle({ policies: [] }),
      ],
    }),
    ...(await build(lab, "namespace")).filter(({ kind }) => kind === "EnvoyFilter"),
  );
  const bare = podOf(await buildApp(lab, "proxy-unwrap"));
  const annotations = { ...bare.metadata.annotations, "wpgate.dev/pin.json": pin };
  const pod = await admitted(lab, { ...bare, metadata: { ...bare.metadata, annotations } });
  const roots = authority.certificate;
  const started = await ProxiedPod.start(lab, {
    pod,
    program: PROGRAM,
    port: guarded,
    addresses: { [WRAP]: port },
    roots,
  });
  running.push(started);
  await started.workload.answers("/orders", 200);
  expect(await started.workload.get("/internal")).toBe(403);
});

function guard(sha256: string): SignedObject {
  return {
    ...{ apiVersion: "wpgate.dev/v1", kind: "Guard", metadata: { name: "shop", namespace: NS } },
    spec: { ports: [{ port: guarded }], filter: { sha256: [sha256] } },
  };
}

/** The Deployment's one container, with the Secrets and ConfigMaps that the folder says it needs. */
async function startWrap(files: Readonly<Record<string, string>>, authority: Authority): Promise<Container> {
  const deployment = (await build(lab, "wrap")).find(({ kind }) => kind === "Deployment");
  const spec = at(deployment, "spec", "template", "spec", "containers", 0) as ContainerSpec;
  const { key, certificate } = await authority.issue({ ip: "127.0.0.1", commonName: "wpgate-wrap" });
  const { issuer } = JSON.parse(await lab.kubectl(ISSUER)) as { issuer: string };
  const shipped = readFileSync(projectFile("deploy/kubernetes/wrap/proxy.yaml"), "utf8");
  return await Container.start({
    ...{ spec, program: PROGRAM, folders: ["/var/lib/wpgate"] },
    files: {
      "/etc/wpgate/proxy.yaml": shipped.replace("https://kubernetes.default.svc.cluster.local", issuer),
      "/var/run/wpgate/push/push.pem": files["push.pem"] ?? "",
      "/var/run/wpgate/root/bundle.json": files["bundle.json"] ?? "",
      "/var/run/wpgate/tls/tls.crt": certificate,
      "/var/run/wpgate/tls/tls.key": key,
      "/var/run/wpgate/jwks/jwks.json": await lab.kubectl(["get", "--raw", "/openid/v1/jwks"]),
      [ISTIOD_ROOTS]: lab.istiodAuthority ?? "",
    },
    addresses: { "0.0.0.0:15112": port, "127.0.0.1:15081": await freePort(), [ISTIOD]: lab.istiod.securePort },
  });
}
