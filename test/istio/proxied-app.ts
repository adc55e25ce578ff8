/** An application with a component of deploy/kubernetes: its Deployment, and the pods that its controllers would make. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parse } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import type { Lab } from "../lab/lab.ts";
import { account, kubectlAs, type Identity, type KubernetesObject } from "./deployment.ts";

export const NS = "team-a";
/** Who makes the pods of Deployments. */
export const CONTROLLER: Identity = account("kube-system", "replicaset-controller");
const LABELS = { app: "shop" };
/** Set by the ReplicaSet; by it istiod knows the name of the Deployment. */
const HASH = "6d5f8b9c7";
export const POD: string = `shop-${HASH}-abcde`;

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [more: string]: unknown;
}

export interface Pod extends KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers: readonly Container[];
    readonly volumes: readonly { readonly name: string; readonly [kind: string]: unknown }[];
    readonly [more: string]: unknown;
  };
}

/** A namespace whose pods istiod injects, with the account that a controller of the cluster would make. */
export async function makeNamespace(lab: Lab, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await lab.apply(
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: NS, labels: { "istio-injection": "enabled", ...labels } },
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: NS } },
  );
}

/** What kustomize makes of an application and components, named by their folders. */
export async function buildApp(lab: Lab, ...components: readonly string[]): Promise<KubernetesObject> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "wpgate-app-")));
  try {
    const app = {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "shop", namespace: NS } },
      spec: {
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            initContainers: [{ name: "migrate", image: "registry.example.com/shop:1" }],
            containers: [
              { name: "shop", image: "registry.example.com/shop:1", ports: [{ containerPort: 8080, name: "http" }] },
            ],
          },
        },
      },
    };
    const paths = components.map((name) => relative(folder, projectFile(`deploy/kubernetes/${name}`)));
    await writeFile(join(folder, "app.yaml"), JSON.stringify(app));
    await writeFile(join(folder, "kustomization.yaml"), JSON.stringify({ resources: ["app.yaml"], components: paths }));
    return parse(await lab.kubectl(["kustomize", folder])) as KubernetesObject;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A pod as the ReplicaSet controller asks for it, before istiod has seen it. */
export function podOf(deployment: KubernetesObject): Pod {
  const { template } = deployment["spec"] as { readonly template: Pick<Pod, "metadata" | "spec"> };
  return {
    ...{ apiVersion: "v1", kind: "Pod" },
    metadata: {
      ...template.metadata,
      ...{ name: POD, namespace: NS },
      labels: { ...template.metadata.labels, "pod-template-hash": HASH },
      ownerReferences: [
        {
          ...{ apiVersion: "apps/v1", kind: "ReplicaSet", name: `shop-${HASH}`, controller: true },
          uid: "00000000-0000-4000-8000-000000000000",
        },
      ],
    } as Pod["metadata"],
    spec: template.spec,
  };
}

/** What the API server would store, or an error with what it says. */
export async function admitted(lab: Lab, pod: unknown, who: Identity = CONTROLLER): Promise<Pod> {
  const args = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
  return JSON.parse(await kubectlAs(lab, who, args, pod)) as Pod;
}

export function containerOf(pod: Pod, name: string): Container {
  const found = [...pod.spec.initContainers, ...pod.spec.containers].find((container) => container.name === name);
  if (found === undefined) throw new Error(`the pod has no container ${name}`);
  return found;
}
