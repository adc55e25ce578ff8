/** deploy/kubernetes/guarded-namespaces on a real API server: what an editor with every right may write in one. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Lab } from "../lab/lab.ts";
import {
  account,
  ADMIN,
  applyFolder,
  BROAD,
  grantEverything,
  kubectlAs,
  PLATFORM,
  refusalOf,
  untilAllowed,
  untilRefused,
  type KubernetesObject,
} from "./deployment.ts";

const NS = "guarded";
const NAMESPACE_CONTROLLER = account("kube-system", "namespace-controller");

const object = (apiVersion: string, kind: string, spec: object, name = "mine"): KubernetesObject => ({
  ...{ apiVersion, kind, metadata: { name, namespace: NS }, spec },
});
const ingress = [{ port: { number: 80, name: "tcp", protocol: "TCP" }, defaultEndpoint: "127.0.0.1:80" }];
const FOREIGN = [
  object("extensions.istio.io/v1alpha1", "WasmPlugin", { url: "oci://registry.example.com/mine" }),
  object("extensions.istio.io/v1alpha1", "TrafficExtension", { lua: { inlineCode: "--" } }),
  object("networking.istio.io/v1alpha3", "EnvoyFilter", { configPatches: [] }),
  object("networking.istio.io/v1beta1", "ProxyConfig", { environmentVariables: { A: "B" } }),
  object("networking.istio.io/v1", "Sidecar", { ingress }),
];
const service = (port: object): KubernetesObject => object("v1", "Service", { ports: [{ port: 80, ...port }] });

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
  await applyFolder(lab, "platform", ADMIN);
  await applyFolder(lab, "guarded-namespaces", ADMIN);
  await lab.apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NS, labels: { "wpgate.dev/guarded": "" } },
  });
  await grantEverything(lab, NS);
  await untilAllowed(lab, PLATFORM, { verb: "create", resource: "wasmplugins", namespace: NS });
  await untilRefused(lab, BROAD, ["create", "-f", "-"], FOREIGN[0]);
  await untilRefused(lab, BROAD, ["create", "-f", "-"], service({ name: "tcp" }));
});
afterAll(() => lab.stop());

it.each(FOREIGN.map((foreign) => [foreign.kind, foreign] as const))(
  "has no %s but the platform team's, who keeps it",
  async (kind, foreign) => {
    const says = "in a namespace with the label wpgate.dev/guarded only the platform team writes ";
    expect(await refusalOf(lab, BROAD, ["create", "-f", "-"], foreign)).toContain(says);
    await kubectlAs(lab, { user: "pat", groups: ["wpgate:platform", "broad"] }, ["create", "-f", "-"], foreign);
    const remove = ["delete", kind, "mine", "-n", NS];
    expect(await refusalOf(lab, BROAD, remove)).toContain(says);
  },
);

it("has Sidecars for what goes out", async () => {
  const out = object("networking.istio.io/v1", "Sidecar", { egress: [{ hosts: ["./*"] }] }, "out");
  await kubectlAs(lab, BROAD, ["create", "-f", "-"], out);
  const listen = ["patch", "sidecar", "out", "-n", NS, "--type=merge", "-p", JSON.stringify({ spec: { ingress } })];
  expect(await refusalOf(lab, BROAD, listen)).toContain("writes spec.ingress of sidecars");
  await kubectlAs(lab, BROAD, ["delete", "sidecar", "out", "-n", NS]);
});

it.each([{ name: "tcp-web" }, { name: "https" }, {}, { name: "http-web", appProtocol: "tcp" }])(
  "has no Service with the port %j",
  async (port) => {
    expect(await refusalOf(lab, BROAD, ["create", "-f", "-"], service(port))).toContain(
      "the name or appProtocol of each port says http, http2 or grpc",
    );
  },
);

it("has Services of HTTP, whose ports stay so", async () => {
  const web = { ...service({ name: "web", appProtocol: "http" }), metadata: { name: "web", namespace: NS } };
  await kubectlAs(lab, BROAD, ["create", "-f", "-"], web);
  const rename = [{ op: "replace", path: "/spec/ports/0/appProtocol", value: "tcp" }];
  const args = ["patch", "service", "web", "-n", NS, "--type=json", "-p", JSON.stringify(rename)];
  expect(await refusalOf(lab, BROAD, args)).toContain("web 80");
});

it("lets wpgate's content be changed, and its own objects go with it", async () => {
  const spec = { url: "oci://registry.example.com/wpgate", pluginConfig: { wpgate: 1 } };
  const ours = object("extensions.istio.io/v1alpha1", "WasmPlugin", spec, "wpgate");
  await kubectlAs(lab, PLATFORM, ["create", "-f", "-"], ours);
  const patch = JSON.stringify({ spec: { pluginConfig: { sets: [] } } });
  await kubectlAs(lab, BROAD, ["patch", "wasmplugin", "wpgate", "-n", NS, "--type=merge", "-p", patch]);
  await lab.kubectl(["delete", "namespace", NS, "--wait=false"]);
  const all = ["delete", "--raw", `/apis/networking.istio.io/v1alpha3/namespaces/${NS}/envoyfilters`];
  await until({
    what: "its EnvoyFilters being deleted",
    timeoutMs: 60_000,
    intervalMs: 100,
    probe: async () =>
      await kubectlAs(lab, NAMESPACE_CONTROLLER, all).then(
        () => true,
        () => undefined,
      ),
  });
});
