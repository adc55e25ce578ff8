/** deploy/kubernetes/online-signer, recipient and gitops on a real API server; the CronJob's own command, as its account. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { Cli, policyYaml } from "../cli/harness.ts";
import { Lab } from "../lab/lab.ts";
import {
  account,
  ADMIN,
  applyFolder,
  at,
  build,
  EDITOR,
  get,
  kubectlAs,
  PLATFORM,
  untilAllowed,
  untilRefused,
  type KubernetesObject,
} from "./deployment.ts";

const NS = "team-a";
const SIGNER = account(NS, "wpgate-fresh");
const FOLDERS = ["platform", "guarded-namespaces", "namespace", "gateway", "online-signer", "online-signer-watch"];
const cli = new Cli();
let lab: Lab;
let token = "";

beforeAll(async () => {
  cli.nowMs = Date.now();
  await cli.init();
  cli.write("read.yaml", policyYaml("read"));
  await cli.good("sign", "-C", NS, "read.yaml");
  lab = await Lab.start();
  await applyFolder(lab, "platform", ADMIN);
  for (const name of [NS, "ingress"])
    await lab.apply({
      ...{ apiVersion: "v1", kind: "Namespace" },
      metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
  await untilAllowed(lab, PLATFORM, { verb: "create", resource: "roles", namespace: NS });
  await applyFolder(lab, "namespace");
  await untilAllowed(lab, EDITOR, { verb: "patch", resource: "wasmplugins/wpgate", namespace: NS });
  const content = await cli.good("wasmplugin", `${NS}/bundle.json`, "--content");
  await kubectlAs(lab, EDITOR, ["apply", "--server-side", "--field-manager=wpgate", "-f", "-"], content);
  await applySigner("online-signer");
  const key = `--from-file=fresh.pem=${cli.path(`${NS}/keys/fresh.pem`)}`;
  await lab.kubectl(["create", "secret", "generic", "wpgate-fresh", "-n", NS, key]);
  token = await lab.kubeconfigOfAccount(NS, "wpgate-fresh");
  await untilAllowed(lab, SIGNER, { verb: "patch", resource: "wasmplugins/wpgate", namespace: NS });
  const url = JSON.stringify({ spec: { url: "oci://registry.example.com/mine" } });
  await untilRefused(lab, SIGNER, ["patch", "wasmplugin", "wpgate", "-n", NS, "--type=merge", "-p", url]);
});
afterAll(async () => {
  await lab.stop();
  cli.remove();
});

/** A signer's folder with the owner's files in the place of the placeholders. */
async function applySigner(folder: string): Promise<void> {
  const files = { "wpgate.yaml": cli.read(`${NS}/wpgate.yaml`), "pin.json": cli.read(`${NS}/pin.json`) };
  const objects = (await build(lab, folder)).map((object) =>
    object.kind === "ConfigMap" ? { ...object, data: files } : object,
  );
  await lab.apply(...objects);
}

/** The command of a pod as the kubelet would run it: its volumes are folders here. */
async function commandOf(pod: unknown): Promise<readonly string[]> {
  const root = cli.path("pod");
  const container = at(pod, "containers", 0);
  for (const mount of at(container, "volumeMounts") as { name: string; mountPath: string }[]) {
    const volume = (at(pod, "volumes") as { name: string }[]).find(({ name }) => name === mount.name) as {
      configMap?: { name: string };
      secret?: { secretName: string };
    };
    const kind = volume.configMap === undefined ? "secret" : "configmap";
    const source = await get(lab, kind, volume.configMap?.name ?? volume.secret!.secretName, NS);
    const folder = join(root, mount.mountPath);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(source["data"] as Record<string, string>))
      writeFileSync(join(folder, file), kind === "secret" ? Buffer.from(text, "base64") : text);
  }
  const args = at(container, "args") as string[];
  return args.map((arg) => (arg.startsWith("/") ? join(root, arg) : arg));
}

const live = async (): Promise<KubernetesObject> => await get(lab, "wasmplugin", "wpgate", NS);
const freshOf = (object: KubernetesObject): unknown => at(object, "spec", "pluginConfig", "fresh", NS);
const podOf = async (kind: "cronjob" | "deployment"): Promise<unknown> => {
  const object = await get(lab, kind, "wpgate-fresh", NS);
  return kind === "cronjob"
    ? at(object, "spec", "jobTemplate", "spec", "template", "spec")
    : at(object, "spec", "template", "spec");
};
/** The CronJob's command with its account's token. */
async function renew(): Promise<void> {
  cli.nowMs = Date.now();
  await cli.good(...(await commandOf(await podOf("cronjob"))), "--kubeconfig", token);
}

it.each(FOLDERS)("the API server takes everything in %s, twice", async (folder) => {
  const args = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "-f", "-"];
  const text = (await build(lab, folder)).map((object) => JSON.stringify(object)).join("\n---\n");
  const who = { user: "pat", groups: ["wpgate:platform", "system:masters"] };
  expect(await kubectlAs(lab, who, args, text)).toBe(await kubectlAs(lab, who, args, text));
});

describe("the online signer", () => {
  it.each([
    [true, "get", "wasmplugins/wpgate"],
    [true, "patch", "wasmplugins/wpgate"],
    [false, "get", "wasmplugins/other"],
    [false, "list", "wasmplugins"],
    [false, "create", "wasmplugins"],
    [false, "update", "wasmplugins/wpgate"],
    [false, "delete", "wasmplugins/wpgate"],
    [false, "get", "secrets/wpgate-fresh"],
    [false, "create", "pods"],
  ])("%s: %s %s", async (allowed, verb, resource) => {
    const asked = kubectlAs(lab, SIGNER, ["auth", "can-i", verb, resource, "-n", NS]);
    if (allowed) expect(await asked).toBe("yes\n");
    else await expect(asked).rejects.toThrow();
  });

  it("owns the confirmation that the CronJob's command writes, and nothing else", async () => {
    await renew();
    const object = await live();
    expect(freshOf(object)).toMatch(/^[\w-]+$/);
    const fields = object.metadata["managedFields"] as { manager: string; fieldsV1: object }[];
    expect(fields.find(({ manager }) => manager === "wpgate-fresh")?.fieldsV1).toEqual({
      "f:spec": { "f:pluginConfig": { "f:fresh": { ".": {}, [`f:${NS}`]: {} } } },
    });
  });

  it("runs as a service with the same folder and key", async () => {
    await applySigner("online-signer-watch");
    const service = await commandOf(await podOf("deployment"));
    expect(service).toEqual([...(await commandOf(await podOf("cronjob"))), "--watch", "--listen", "0.0.0.0:9464"]);
  });

  it.each(["cronjob", "deployment"] as const)("is a pod of the restricted kind, as %s", async (kind) => {
    const spec = await podOf(kind);
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "signer", namespace: NS }, spec };
    await lab.kubectl(["create", "--dry-run=server", "-f", "-"], { stdin: JSON.stringify(pod) });
    const loose = { ...pod, spec: { ...(spec as object), securityContext: {} } };
    await expect(
      lab.kubectl(["create", "--dry-run=server", "-f", "-"], { stdin: JSON.stringify(loose) }),
    ).rejects.toThrow(/violates PodSecurity "restricted/);
  });
});

describe.each(["argocd-controller", "kustomize-controller"])("a GitOps tool that applies as %s", (manager) => {
  it("neither takes the confirmation back nor gets into the signer's way", async () => {
    await renew();
    const before = await live();
    const [shipped] = (await build(lab, "namespace")).filter(({ kind }) => kind === "WasmPlugin");
    const pluginConfig = { wpgate: 1, sets: at(before, "spec", "pluginConfig", "sets") };
    const git = { ...shipped, spec: { ...(shipped!["spec"] as object), pluginConfig } };
    const args = ["apply", "--server-side", "--force-conflicts", `--field-manager=${manager}`, "-f", "-"];
    await kubectlAs(lab, PLATFORM, args, git);
    expect(freshOf(await live())).toBe(freshOf(before));
    await renew();
    expect(freshOf(await live())).not.toBe(freshOf(before));
    const later = await live();
    await kubectlAs(lab, PLATFORM, args, git);
    expect((await live())["spec"]).toEqual(later["spec"]);
  });
});

it("tells Argo CD and Flux what to leave alone", () => {
  const read = (name: string): unknown => parse(readFileSync(projectFile(`deploy/kubernetes/gitops/${name}`), "utf8"));
  const argo = at(read("argocd-application.yaml"), "spec");
  expect(at(argo, "ignoreDifferences", 0, "jsonPointers")).toEqual(["/spec/pluginConfig/fresh"]);
  expect(at(argo, "syncPolicy", "syncOptions")).toContain("ServerSideApply=true");
  expect(at(read("flux-kustomization.yaml"), "spec", "serviceAccountName")).toBe("gitops");
});

it("hands a recipient's key to the proxy's container and to nothing else", async () => {
  await cli.good("keygen", "--recipient", "backend.pem");
  await cli.good("filter", "env", "backend.pem", "--out", "backend.env");
  const from = `--from-env-file=${cli.path("backend.env")}`;
  await lab.kubectl(["create", "secret", "generic", "wpgate-recipient", "-n", NS, from]);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "wpgate-app-")));
  try {
    const labels = { app: "shop" };
    const app = {
      ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "shop", namespace: NS } },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "shop", image: "shop" }] } },
      },
    };
    writeFileSync(join(folder, "app.yaml"), JSON.stringify(app));
    const components = [relative(folder, realpathSync(projectFile("deploy/kubernetes/recipient")))];
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify({ resources: ["app.yaml"], components }));
    await lab.kubectl(["apply", "--server-side", "-k", folder]);
    const containers = at(await get(lab, "deployment", "shop", NS), "spec", "template", "spec", "containers");
    const byName = Object.fromEntries((containers as { name: string; env?: unknown }[]).map((c) => [c.name, c.env]));
    const secretKeyRef = { name: "wpgate-recipient", key: "WPGATE_RECIPIENT" };
    expect(byName).toEqual({
      shop: undefined,
      "istio-proxy": [{ name: "WPGATE_RECIPIENT", valueFrom: { secretKeyRef } }],
    });
    const secret = at(await get(lab, "secret", "wpgate-recipient", NS), "data", "WPGATE_RECIPIENT") as string;
    expect(`WPGATE_RECIPIENT=${Buffer.from(secret, "base64").toString()}\n`).toBe(cli.read("backend.env"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
