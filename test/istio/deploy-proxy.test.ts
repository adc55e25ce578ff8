/** deploy/kubernetes/proxy, proxy-unwrap, injection and istiod-read-only: what the injector of a real istiod makes of them. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { IstioAgent } from "../lab/istio-agent.ts";
import { Lab } from "../lab/lab.ts";
import { account, build, get, kubectlAs } from "./deployment.ts";
import { admitted, buildApp, containerOf, makeNamespace, NS, podOf, type Pod } from "./proxied-app.ts";

const VALUES = parse(readFileSync(projectFile("deploy/kubernetes/injection/values.yaml"), "utf8")) as {
  readonly env: Readonly<Record<string, string>>;
  readonly sidecarInjectorWebhook: { readonly templates: Readonly<Record<string, string>> };
};
const LOCAL = { discoveryAddress: "127.0.0.1:15010", controlPlaneAuthPolicy: "NONE" };
const ISTIOD = account("istio-system", "istiod");
/** What the API server adds to an account; impersonation has it said. */
const GROUPS = ["system:serviceaccounts", "system:serviceaccounts:istio-system", "system:authenticated"];

let lab: Lab;
let injected: Pod;
beforeAll(async () => {
  lab = await Lab.start({ injection: { templates: VALUES.sidecarInjectorWebhook.templates } });
  await makeNamespace(lab);
  const deployment = await buildApp(lab, "proxy");
  await lab.apply(deployment);
  injected = await admitted(lab, podOf(await get(lab, "deployment", "shop", NS)));
});
afterAll(() => lab.stop());

const names = (list: readonly { readonly name: string }[]): readonly string[] => list.map(({ name }) => name);

describe("a pod with the component", () => {
  it("starts the proxy first, then the redirection, then Envoy and the application", () => {
    expect(names(injected.spec.initContainers)).toEqual(["wpgate-proxy", "migrate", "istio-init"]);
    expect(names(injected.spec.containers)).toEqual(["shop", "istio-proxy"]);
  });

  it("has the proxy as the Deployment has it", async () => {
    const { template } = (await get(lab, "deployment", "shop", NS))["spec"] as { template: Pod };
    const { volumeMounts = [], ...found } = containerOf(injected, "wpgate-proxy");
    const { volumeMounts: asked = [], ...rest } = containerOf(template, "wpgate-proxy");
    expect(found).toEqual(rest);
    expect(volumeMounts.filter(({ name }) => !name.startsWith("kube-api-access-"))).toEqual(asked);
    for (const volume of template.spec.volumes) expect(injected.spec.volumes).toContainEqual(volume);
  });

  it("has every image of the proxies by digest", () => {
    for (const name of ["wpgate-proxy", "istio-init", "istio-proxy"])
      expect(containerOf(injected, name).image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  it("shows Envoy the modules of the proxy, as its own user, and no more", () => {
    const [proxy, envoy] = ["wpgate-proxy", "istio-proxy"].map((name) => containerOf(injected, name));
    const state = (envoy?.volumeMounts ?? []).filter(({ name }) => name.startsWith("wpgate-"));
    const mountPath = "/var/lib/wpgate/modules";
    expect(state).toEqual([{ name: "wpgate-state", mountPath, subPath: "modules", readOnly: true }]);
    const user = { runAsUser: 1337, runAsGroup: 1337 };
    for (const container of [proxy, envoy]) expect(container?.["securityContext"]).toMatchObject(user);
  });

  it("sends istio-agent to the proxy for configuration, and to istiod for certificates", () => {
    const env = containerOf(injected, "istio-proxy").env ?? [];
    const value = (name: string): string => env.find((variable) => variable.name === name)?.value ?? "";
    expect(JSON.parse(value("PROXY_CONFIG"))).toEqual({ discoveryAddress: LOCAL.discoveryAddress });
    expect(JSON.parse(injected.metadata.annotations["proxy.istio.io/config"] ?? "")).toEqual(LOCAL);
    expect(value("CA_ADDR")).toBe("istiod.istio-system.svc:15012");
  });

  it("is a pod whose istio-agent speaks to the proxy in plaintext", async () => {
    // As the agent finds both in the pod. In the place of the proxy stands istiod's own plaintext port.
    const here = (text: string): string => text.replaceAll(LOCAL.discoveryAddress, `127.0.0.1:${lab.istiod.adsPort}`);
    const env = containerOf(injected, "istio-proxy").env ?? [];
    const proxyConfig = here(env.find(({ name }) => name === "PROXY_CONFIG")?.value ?? "");
    const annotation = here(injected.metadata.annotations["proxy.istio.io/config"] ?? "");
    const agent = await IstioAgent.start({
      ...{ file: lab.programs.istioAgent, ads: lab.istiod.adsPort, namespace: "elsewhere" },
      environment: { PROXY_CONFIG: proxyConfig },
      annotations: { "proxy.istio.io/config": annotation },
    });
    try {
      const workload = await lab.startSidecar({
        ...{ namespace: "elsewhere", name: "shop", labels: { app: "shop" }, ads: agent.socket },
      });
      await workload.answers("/", 200);
    } finally {
      await agent.stop();
    }
  });

  it("has the other configuration with proxy-unwrap, and is else the same", async () => {
    const [check, unwrap] = [await buildApp(lab, "proxy"), await buildApp(lab, "proxy-unwrap")].map((app) =>
      podOf(app),
    );
    expect(unwrap?.spec).toEqual(check?.spec);
    const configOf = (pod: Pod | undefined): unknown => parse(pod?.metadata.annotations["wpgate.dev/proxy.yaml"] ?? "");
    expect(configOf(check)).toMatchObject({ mode: "check", upstream: { address: "istiod.istio-system.svc:15012" } });
    expect(configOf(unwrap)).toMatchObject({
      ...{ mode: "unwrap", upstream: { address: "wpgate-wrap.istio-system.svc:15112" } },
    });
  });
});

describe("a pod with the injection template", () => {
  it("gets the container, the volumes and the address that the component gives", async () => {
    const metadata = { name: "plain", namespace: NS, labels: { app: "shop" } };
    const annotations = {
      ...{ "inject.istio.io/templates": "sidecar,wpgate", "sidecar.istio.io/nativeSidecar": "false" },
    };
    const spec = { containers: [{ name: "shop", image: "registry.example.com/shop:1" }] };
    const pod = await admitted(lab, { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, annotations }, spec });
    const isState = ({ name }: { readonly name: string }): boolean => name === "wpgate-state";
    const mine = (name: string): boolean => !name.startsWith("kube-api-access-");
    const bare = (of: Pod): unknown => {
      const { volumeMounts = [], ...rest } = containerOf(of, "wpgate-proxy");
      return { ...rest, volumeMounts: volumeMounts.filter(({ name }) => mine(name)) };
    };
    expect(bare(pod)).toEqual(bare(injected));
    const shared = (of: Pod): unknown => containerOf(of, "istio-proxy").volumeMounts?.find(isState);
    expect(shared(pod)).toEqual(shared(injected));
    const ours = (of: Pod): readonly unknown[] =>
      of.spec.volumes.filter(({ name }) => name.startsWith("wpgate-") && name !== "wpgate-config");
    expect(ours(pod)).toEqual(ours(injected));
    expect(pod.spec.volumes.find(({ name }) => name === "wpgate-config")).toMatchObject({
      configMap: { name: "wpgate-proxy" },
    });
    expect(JSON.parse(pod.metadata.annotations["proxy.istio.io/config"] ?? "")).toEqual(LOCAL);
  });
});

describe("wrap", () => {
  it("is taken by the API server in a namespace with the restricted standard", async () => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "istio-system", labels } });
    const objects = await build(lab, "wrap");
    await lab.kubectl(["apply", "--server-side", "--validate=strict", "-f", "-"], {
      stdin: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    });
    const { template } = (await get(lab, "deployment", "wpgate-wrap", "istio-system"))["spec"] as { template: object };
    const pod = { ...template, apiVersion: "v1", kind: "Pod" } as Pod;
    const named = { ...pod, metadata: { ...pod.metadata, name: "wpgate-wrap-1", namespace: "istio-system" } };
    expect(names((await admitted(lab, named)).spec.containers)).toEqual(["wpgate-proxy"]);
  });
});

describe("istiod's account", () => {
  it("changes nothing, and reads Secrets of its own namespace only", async () => {
    const args = ["auth", "can-i", "--list", "--no-headers", "-n", NS];
    const rights = (await kubectlAs(lab, { ...ISTIOD, groups: GROUPS }, args)).trim().split("\n");
    const verbs = rights.map((right) => ({ right, verbs: /\[([^[\]]*)\]$/.exec(right)?.[1]?.split(" ") ?? [] }));
    const more = verbs.filter((rule) => rule.verbs.some((verb) => !["get", "list", "watch"].includes(verb)));
    expect(more.map(({ right }) => right.split(/\s/)[0]).sort()).toEqual([
      "selfsubjectaccessreviews.authorization.k8s.io",
      "selfsubjectreviews.authentication.k8s.io",
      "selfsubjectrulesreviews.authorization.k8s.io",
      "tokenreviews.authentication.k8s.io",
    ]);
    await expect(kubectlAs(lab, ISTIOD, ["get", "secrets", "-n", NS])).rejects.toThrow("cannot list resource");
    await kubectlAs(lab, ISTIOD, ["get", "secrets", "-n", "istio-system"]);
  });

  it("cannot give itself more", async () => {
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", metadata: { name: "mine" } };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" };
    const subjects = [{ kind: "ServiceAccount", name: "istiod", namespace: "istio-system" }];
    const args = ["create", "-f", "-"];
    await expect(kubectlAs(lab, ISTIOD, args, { ...role, roleRef, subjects })).rejects.toThrow(
      "cannot create resource",
    );
  });
});
