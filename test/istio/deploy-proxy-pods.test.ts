/** deploy/kubernetes/pinned-pods on a real API server: what becomes of a pod that its author, or a hostile istiod, changes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { Lab } from "../lab/lab.ts";
import {
  account,
  ADMIN,
  applyFolder,
  BROAD,
  get,
  grantEverything,
  kubectlAs,
  PLATFORM,
  refusalOf,
  untilAllowed,
  untilRefused,
} from "./deployment.ts";
import { ATTACK, ATTACKS, HostileIstiod, OTHER_IMAGE } from "./hostile-injector.ts";
import { admitted, buildApp, containerOf, CONTROLLER, makeNamespace, NS, POD, podOf, type Pod } from "./proxied-app.ts";

const KUBELET = { user: "system:node:node-1", groups: ["system:nodes"] };
const NAMESPACE_CONTROLLER = account("kube-system", "namespace-controller");
const PIN = `jsonpath-file=${projectFile("deploy/kubernetes/pinned-pods/pin.jsonpath")}`;
const SIGNER_IMAGE = `registry.example.com/wpgate@sha256:${"1".repeat(64)}`;

let lab: Lab;
let hostile: HostileIstiod;
let pod: Pod;
beforeAll(async () => {
  lab = await Lab.start({ injection: {} });
  await makeNamespace(lab);
  await grantEverything(lab, NS);
  await applyFolder(lab, "platform", ADMIN);
  await applyFolder(lab, "pinned-pods", ADMIN);
  pod = podOf(await buildApp(lab, "proxy"));
  await untilAllowed(lab, PLATFORM, { verb: "create", resource: "podtemplates", namespace: NS });
  // The commands of docs/proxy-on-istio.md.
  const pin = await kubectlAs(lab, PLATFORM, ["create", "--dry-run=server", "-o", PIN, "-f", "-"], pod);
  await kubectlAs(lab, PLATFORM, ["apply", "--server-side", "-f", "-"], pin);
  await kubectlAs(lab, PLATFORM, [
    ...["annotate", "podtemplate", "wpgate-pods", "-n", NS, `wpgate.dev/plain-images=${SIGNER_IMAGE} other`],
  ]);
  await makeNamespace(lab, { "wpgate.dev/pinned-pods": "" });
  await untilRefused(lab, CONTROLLER, ["create", "-f", "-"], plain("nothing"));
  await untilRefused(lab, BROAD, ["delete", "podtemplate", "wpgate-pods", "-n", NS]);
  await untilRefused(lab, BROAD, ["label", "namespace", NS, "wpgate.dev/pinned-pods-"]);
  hostile = await HostileIstiod.start(lab);
  await kubectlAs(lab, CONTROLLER, ["create", "-f", "-"], pod);
});
afterAll(async () => {
  await hostile.stop();
  await lab.stop();
});

/** A pod without any of it, which nobody injects. */
function plain(name: string, image = "registry.example.com/shop:1"): object {
  const metadata = { name, namespace: NS, labels: { "sidecar.istio.io/inject": "false" } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "shop", image }] } };
}

const withMetadata = (metadata: Partial<Record<"labels" | "annotations", Record<string, string>>>): Pod => ({
  ...pod,
  metadata: {
    ...{ ...pod.metadata, name: "changed" },
    labels: { ...pod.metadata.labels, ...metadata.labels },
    annotations: { ...pod.metadata.annotations, ...metadata.annotations },
  },
});
const withSpec = (spec: object): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, name: "changed" },
  spec: { ...pod.spec, ...spec },
});
const withShop = (more: object): Pod =>
  withSpec({ containers: pod.spec.containers.map((c) => (c.name === "shop" ? { ...c, ...more } : c)) });

const create = ["create", "--dry-run=server", "-f", "-"];
const patchArgs = (patch: unknown, ...more: readonly string[]): readonly string[] => [
  ...["patch", "pod", POD, "-n", NS, "--type=strategic", "-p", JSON.stringify(patch), ...more],
];

describe("a pod with the proxies", () => {
  it("is made by the controller of its Deployment", async () => {
    const live = (await get(lab, "pod", POD, NS)) as Pod;
    for (const name of ["wpgate-proxy", "istio-proxy", "istio-init"])
      expect(containerOf(live, name).image).toContain("@sha256:");
  });

  it("may have another application, other ports and labels of its own", async () => {
    const containers = [
      containerOf(pod, "istio-proxy"),
      { name: "shop", image: "registry.example.com/shop:2", ports: [{ containerPort: 9090 }] },
      { name: "cache", image: "registry.example.com/cache:1" },
    ];
    const other = withSpec({ containers });
    const labels = { ...other.metadata.labels, version: "2" };
    const made = await admitted(lab, { ...other, metadata: { ...other.metadata, labels } });
    expect(made.spec.containers.map(({ name }) => name)).toEqual(["shop", "cache", "istio-proxy"]);
  });

  it("has its status reported by the kubelet, and notes of its own added", async () => {
    const binding = { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "broad" } };
    await lab.apply({
      ...{ apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", ...binding },
      metadata: { name: "node", namespace: NS },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:nodes" }],
    });
    await untilAllowed(lab, KUBELET, { verb: "patch", resource: "pods", namespace: NS });
    await kubectlAs(lab, KUBELET, patchArgs({ status: { phase: "Running" } }, "--subresource=status"));
    await kubectlAs(lab, BROAD, patchArgs({ metadata: { annotations: { "example.com/note": "mine" } } }));
  });
});

describe("a hostile istiod", () => {
  it.each(Object.entries(ATTACKS))("cannot inject %s", async (name, { says }) => {
    const asked = withMetadata({ labels: { [ATTACK]: name } });
    expect(await refusalOf(lab, CONTROLLER, create, asked)).toContain(says);
  });

  it("is let through while it does what it did", async () => {
    await admitted(lab, withMetadata({ labels: { [ATTACK]: "none" } }));
  });
});

describe("the author of a pod", () => {
  it.each([
    ["no sidecar", withLabel("sidecar.istio.io/inject", "false"), "no container istio-init; label"],
    ["another app", withLabel("app", "other"), "label app"],
    ["the ambient mode", withLabel("istio.io/dataplane-mode", "ambient"), "label istio.io/dataplane-mode"],
    ...[
      ["traffic.sidecar.istio.io/excludeInboundPorts", "8080"],
      ["traffic.sidecar.istio.io/includeInboundPorts", "1"],
      ["traffic.sidecar.istio.io/excludeOutboundIPRanges", "0.0.0.0/0"],
      ["traffic.sidecar.istio.io/excludeInterfaces", "eth0"],
      ["sidecar.istio.io/interceptionMode", "NONE"],
      ["sidecar.istio.io/proxyImage", OTHER_IMAGE],
      ["sidecar.istio.io/bootstrapOverride", "mine"],
      ["sidecar.istio.io/userVolume", '{"mine":{"configMap":{"name":"mine"}}}'],
      ["sidecar.istio.io/statsInclusionPrefixes", "mine"],
      ["inject.istio.io/templates", "sidecar"],
      ["proxy.istio.io/config", '{"discoveryAddress":"istiod.istio-system.svc:15012"}'],
      ["ambient.istio.io/redirection", "enabled"],
      ["k8s.v1.cni.cncf.io/networks", "other"],
      ["wpgate.dev/proxy.yaml", "mode: check"],
    ].map(
      ([key = "", value = ""]) =>
        [key, (): Pod => withMetadata({ annotations: { [key]: value } }), `annotation ${key}`] as const,
    ),
    ["a path of its own", () => withMetadata({ annotations: { "prometheus.io/path": "/admin" } }), "istio-proxy: env"],
    ["the node's processes", () => withSpec({ hostPID: true }), "none of hostNetwork, hostPID"],
    ["the proxies' processes", () => withSpec({ shareProcessNamespace: true }), "none of hostNetwork, hostPID"],
    ["the node's files", () => withSpec({ volumes: hostPath() }), "no hostPath volumes"],
    ["a privileged container", () => withShop({ securityContext: { privileged: true } }), "are privileged or add"],
    [
      "a container that can undo the redirection",
      () => withShop({ securityContext: { capabilities: { add: ["NET_ADMIN"] } } }),
      "are privileged or add",
    ],
    ["a signer's image beside his own", () => plainPair(), "no container wpgate-proxy"],
  ] as const)("cannot have %s", async (_, changed, says) => {
    for (const who of [CONTROLLER, BROAD, ADMIN]) expect(await refusalOf(lab, who, create, changed())).toContain(says);
  });

  it("may run what the platform team has named as harmless, without proxies", async () => {
    await kubectlAs(lab, CONTROLLER, create, plain("signer", SIGNER_IMAGE));
  });

  function withLabel(key: string, value: string): () => Pod {
    return () => withMetadata({ labels: { [key]: value } });
  }

  function hostPath(): readonly unknown[] {
    return [...pod.spec.volumes, { name: "node", hostPath: { path: "/var/lib/kubelet" } }];
  }

  function plainPair(): object {
    const spec = {
      containers: [
        { name: "signer", image: SIGNER_IMAGE },
        { name: "shop", image: "registry.example.com/shop:1" },
      ],
    };
    return { ...plain("pair"), spec };
  }
});

describe("an editor with every right of RBAC, at a running pod", () => {
  it.each([
    [
      "another proxy",
      patchArgs({ spec: { initContainers: [{ name: "wpgate-proxy", image: "mine" }] } }),
      "wpgate-proxy",
    ],
    ["another Envoy", patchArgs({ spec: { containers: [{ name: "istio-proxy", image: "mine" }] } }), "istio-proxy"],
    ["a trust root", patchArgs({ metadata: { annotations: { "wpgate.dev/pin.json": "{}" } } }), "wpgate.dev/pin.json"],
    [
      "a trust root by its status",
      patchArgs({ metadata: { annotations: { "wpgate.dev/pin.json": "{}" } } }, "--subresource=status"),
      "wpgate.dev/pin.json",
    ],
    [
      "an address for istio-agent",
      patchArgs({ metadata: { annotations: { "proxy.istio.io/config": null } } }),
      "proxy.istio.io/config",
    ],
    ["another label", patchArgs({ metadata: { labels: { app: "other" } } }), "label app"],
  ])("cannot give it %s", async (_, args, says) => {
    expect(await refusalOf(lab, BROAD, args)).toContain(says);
  });

  it("cannot add a container", async () => {
    const ephemeralContainers = [{ name: "debug", image: "mine", targetContainerName: "wpgate-proxy" }];
    const args = patchArgs({ spec: { ephemeralContainers } }, "--subresource=ephemeralcontainers");
    for (const who of [BROAD, ADMIN])
      expect(await refusalOf(lab, who, args)).toContain("only the platform team adds containers");
  });

  it.each(["istio-proxy", "wpgate-proxy"])("does not enter %s", async (name) => {
    const says = "only the platform team enters the proxies of this namespace";
    for (const who of [BROAD, ADMIN]) {
      const args = ["exec", POD, "-n", NS, "-c", name, "--", "id"];
      expect(await refusalOf(lab, who, args)).toContain(says);
    }
    expect(await refusalOf(lab, BROAD, ["attach", POD, "-n", NS, "-c", name])).toContain(says);
  });

  it("enters the application, and the platform team the proxies", async () => {
    const args = (name: string): readonly string[] => ["exec", POD, "-n", NS, "-c", name, "--", "id"];
    // Nothing runs the pod: that is all that is left to say.
    expect(await refusalOf(lab, BROAD, args("shop"))).toContain("does not have a host assigned");
    const both = { user: "pat", groups: ["wpgate:platform", "broad"] };
    expect(await refusalOf(lab, both, args("istio-proxy"))).toContain("does not have a host assigned");
  });

  it("does not reach Envoy's admin page", async () => {
    const raw = `/api/v1/namespaces/${NS}/pods/${POD}/portforward?ports=15000`;
    expect(await refusalOf(lab, BROAD, ["create", "--raw", raw, "-f", "-"], "{}")).toContain("forwards ports");
  });

  it("does not bring annotations by a binding", async () => {
    const metadata = {
      name: POD,
      namespace: NS,
      annotations: { "traffic.sidecar.istio.io/excludeInboundPorts": "8080" },
    };
    const binding = { apiVersion: "v1", kind: "Binding", metadata, target: { kind: "Node", name: "node-1" } };
    const args = ["create", "--raw", `/api/v1/namespaces/${NS}/pods/${POD}/binding`, "-f", "-"];
    expect(await refusalOf(lab, BROAD, args, binding)).toContain("a binding of this namespace brings no annotations");
  });
});

describe("the pin", () => {
  const replace = JSON.stringify({ metadata: { annotations: { "wpgate.dev/plain-images": "mine" } } });

  it.each([
    ["changed", ["patch", "podtemplate", "wpgate-pods", "-n", NS, "--type=merge", "-p", replace]],
    ["deleted", ["delete", "podtemplate", "wpgate-pods", "-n", NS]],
    ["deleted with all others", ["delete", "--raw", `/api/v1/namespaces/${NS}/podtemplates`]],
  ])("is %s by the platform team only", async (_, args) => {
    for (const who of [BROAD, ADMIN])
      expect(await refusalOf(lab, who, args)).toContain("only the platform team writes PodTemplates");
  });

  it.each([
    ["a merge", ["label", "namespace", NS, "wpgate.dev/pinned-pods-"]],
    ["another value", ["label", "namespace", NS, "wpgate.dev/pinned-pods=no", "--overwrite"]],
  ])("is not switched off with the namespace's label by %s", async (_, args) => {
    for (const who of [BROAD, ADMIN])
      expect(await refusalOf(lab, who, args)).toContain("only the platform team takes off the label");
  });

  it("must name both proxies, with digests", async () => {
    const both = { user: "pat", groups: ["wpgate:platform", "broad"] };
    const image = {
      template: { spec: { containers: [{ name: "istio-proxy", image: "registry.example.com/proxy:1" }] } },
    };
    const args = (patch: unknown): readonly string[] => [
      ...["patch", "podtemplate", "wpgate-pods", "-n", NS, "--type=strategic", "-p", JSON.stringify(patch)],
    ];
    const before = containerOf((await get(lab, "pod", POD, NS)) as Pod, "istio-proxy").image;
    await kubectlAs(lab, both, args(image));
    await untilSays("the PodTemplate wpgate-pods must name istio-proxy and wpgate-proxy");
    await kubectlAs(lab, both, args({ template: { spec: { containers: [{ name: "istio-proxy", image: before }] } } }));
  });

  it("must be there", async () => {
    const saved = await kubectlAs(lab, PLATFORM, ["get", "podtemplate", "wpgate-pods", "-n", NS, "-o", "yaml"]);
    await kubectlAs(lab, PLATFORM, ["delete", "podtemplate", "wpgate-pods", "-n", NS]);
    await untilSays("no params found");
    await kubectlAs(lab, PLATFORM, ["create", "-f", "-"], saved.replaceAll(/^ {2}(resourceVersion|uid):.*\n/gm, ""));
  });

  /** The API server reads parameters a moment after they were written. */
  async function untilSays(text: string): Promise<void> {
    await expect
      .poll(async () => await refusalOf(lab, CONTROLLER, create, withLabelled("x")).catch(String), { timeout: 60_000 })
      .toContain(text);
  }
  const withLabelled = (version: string): Pod => withMetadata({ labels: { version } });
});

describe("a namespace that goes", () => {
  it("takes its pin along", async () => {
    await lab.kubectl(["delete", "namespace", NS, "--wait=false"]);
    const all = ["delete", "--raw", `/api/v1/namespaces/${NS}/podtemplates`];
    await expect
      .poll(async () => await kubectlAs(lab, NAMESPACE_CONTROLLER, all).then(() => "gone", String), { timeout: 60_000 })
      .toBe("gone");
  });
});
