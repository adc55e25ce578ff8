/** deploy/kubernetes/platform and guarded-namespaces on a real API server: who may change what of a WasmPlugin. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Lab } from "../lab/lab.ts";
import {
  account,
  ADMIN,
  applyFolder,
  at,
  BROAD,
  build,
  EDITOR,
  get,
  grantEverything,
  kubectlAs,
  PLATFORM,
  refusalOf,
  untilAllowed,
  untilRefused,
  type KubernetesObject,
} from "./deployment.ts";

const NS = "team-a";
const SIGNER = account(NS, "wpgate-fresh");
const NAMESPACE_CONTROLLER = account("kube-system", "namespace-controller");

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
  await applyFolder(lab, "platform", ADMIN);
  await namespace(NS);
  await untilAllowed(lab, PLATFORM, { verb: "create", resource: "roles", namespace: NS });
  await applyFolder(lab, "namespace");
  await untilAllowed(lab, EDITOR, { verb: "patch", resource: "wasmplugins/wpgate", namespace: NS });
  await kubectlAs(lab, EDITOR, ["apply", "--server-side", "--field-manager=owner", "-f", "-"], content({ sets: [{}] }));
  await untilRefused(lab, BROAD, patchArgs({ spec: { url: "oci://registry.example.com/mine" } }));
});
afterAll(() => lab.stop());

/** What an editor gives: the content and nothing else. */
function content(pluginConfig: object, name = "wpgate"): unknown {
  return { ...plugin(name), spec: { pluginConfig: { wpgate: 1, ...pluginConfig } } };
}

function plugin(name: string, spec: object = {}): KubernetesObject {
  return { apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name, namespace: NS }, spec };
}

function patchArgs(patch: unknown, type = "merge"): readonly string[] {
  return ["patch", "wasmplugin", "wpgate", "-n", NS, `--type=${type}`, "-p", JSON.stringify(patch)];
}

async function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  await grantEverything(lab, name);
}

const current = async (): Promise<KubernetesObject> => await get(lab, "wasmplugin", "wpgate", NS);

describe("an editor with every right of RBAC", () => {
  /** One edit for each member of `spec` beside the content. */
  const EDITS: Readonly<Record<string, unknown>> = {
    url: "oci://registry.example.com/mine:1",
    sha256: "f".repeat(64),
    failStrategy: "FAIL_OPEN",
    phase: "STATS",
    priority: -1,
    match: [{ mode: "CLIENT" }],
    selector: { matchLabels: { app: "nobody" } },
    targetRef: { kind: "Gateway", group: "gateway.networking.k8s.io", name: "other" },
    targetRefs: [{ kind: "Gateway", group: "gateway.networking.k8s.io", name: "other" }],
    type: "NETWORK",
    vmConfig: { env: [{ name: "WPGATE_RECIPIENT", value: "mine" }] },
    pluginName: "other",
    imagePullPolicy: "Always",
    imagePullSecret: "mine",
    verificationKey: "mine",
  };

  it.each(Object.entries(EDITS))("cannot change spec.%s", async (field, value) => {
    expect(await refusalOf(lab, BROAD, patchArgs({ spec: { [field]: value } }))).toMatch(
      new RegExp(`only spec.pluginConfig may change; the platform team changes spec.${field}$`),
    );
  });

  it("has been tried with every member that this Istio knows", async () => {
    const crd = await lab.kubectl(["get", "crd", "wasmplugins.extensions.istio.io", "-o", "json"]);
    const schema = at(JSON.parse(crd), "spec", "versions", 0, "schema", "openAPIV3Schema", "properties", "spec");
    const members = Object.keys(at(schema, "properties") as object);
    expect(members.filter((member) => member !== "pluginConfig").sort()).toEqual(Object.keys(EDITS).sort());
  });

  it.each(["match", "failStrategy", "sha256", "phase"])("cannot remove spec.%s", async (field) => {
    expect(await refusalOf(lab, BROAD, patchArgs({ spec: { [field]: null } }))).toMatch(`changes spec.${field}`);
  });

  it("cannot hide a change in an edit of the content, and is told of all of them", async () => {
    const spec = {
      url: "oci://registry.example.com/mine",
      failStrategy: null,
      priority: 1,
      pluginConfig: { sets: [] },
    };
    const message = await refusalOf(lab, BROAD, patchArgs({ spec }));
    for (const field of ["url", "failStrategy", "priority"]) expect(message).toContain(`spec.${field}`);
  });

  it.each([
    [
      "JSON patch",
      patchArgs([{ op: "add", path: "/spec/match/0/ports", value: [{ number: 1 }] }], "json"),
      "spec.match",
    ],
    ["server-side apply", ["apply", "--server-side", "--force-conflicts", "-f", "-"], "spec.url"],
    ["replacement", ["replace", "-f", "-"], "spec.failStrategy"],
    ["replacement by force", ["replace", "--force", "--grace-period=0", "-f", "-"], "deletes"],
  ])("cannot do so by %s", async (_, args, expected) => {
    const mine = plugin("wpgate", { url: "oci://registry.example.com/mine", pluginConfig: { wpgate: 1 } });
    expect(await refusalOf(lab, BROAD, args, args.includes("-") ? mine : undefined)).toMatch(expected);
  });

  it.each([
    ["no configuration", patchArgs({ spec: { pluginConfig: null } })],
    ["a configuration without wpgate", patchArgs([{ op: "remove", path: "/spec/pluginConfig/wpgate" }], "json")],
    ["another configuration", patchArgs([{ op: "replace", path: "/spec/pluginConfig", value: { a: 1 } }], "json")],
    ["another version", patchArgs({ spec: { pluginConfig: { wpgate: 2 } } })],
  ])("cannot make it a plugin with %s", async (_, args) => {
    expect(await refusalOf(lab, BROAD, args)).toContain("spec.pluginConfig.wpgate must stay");
  });

  it.each([
    ["labels", { labels: { "istio.io/rev": "nobody" } }],
    ["annotations", { annotations: { "argocd.argoproj.io/tracking-id": "another" } }],
    ["finalizers", { finalizers: ["example.com/stay"] }],
    ["ownerReferences", { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "mine", uid: "1" }] }],
  ])("cannot change metadata.%s", async (field, metadata) => {
    expect(await refusalOf(lab, BROAD, patchArgs({ metadata }))).toContain(
      `only the platform team changes metadata.${field}`,
    );
  });

  it.each([
    ["delete", ["delete", "wasmplugin", "wpgate", "-n", NS]],
    ["delete with all others", ["delete", "--raw", `/apis/extensions.istio.io/v1alpha1/namespaces/${NS}/wasmplugins`]],
  ])("cannot %s it", async (_, args) => {
    expect(await refusalOf(lab, BROAD, args)).toContain("only the platform team deletes a WasmPlugin of wpgate");
  });

  it("cannot make another of wpgate, nor turn one of his own into one", async () => {
    const other = plugin("other", { url: "oci://registry.example.com/other" });
    await kubectlAs(lab, BROAD, ["create", "-f", "-"], other);
    const ours = plugin("second", { url: "oci://registry.example.com/mine", pluginConfig: { wpgate: 1 } });
    expect(await refusalOf(lab, BROAD, ["create", "-f", "-"], ours)).toContain("only the platform team makes");
    const turned = { ...plugin("other", ours["spec"] as object) };
    expect(await refusalOf(lab, BROAD, ["apply", "--server-side", "--force-conflicts", "-f", "-"], turned)).toContain(
      "only the platform team makes",
    );
    await kubectlAs(lab, BROAD, ["delete", "wasmplugin", "other", "-n", NS]);
  });

  it("has changed nothing by all this", async () => {
    const { metadata, ...live } = await current();
    const shipped = (await build(lab, "namespace")).find(({ kind }) => kind === "WasmPlugin");
    expect(live["spec"]).toEqual({ ...(shipped?.["spec"] as object), pluginConfig: { wpgate: 1, sets: [{}] } });
    expect(metadata).not.toHaveProperty("labels");
    expect(metadata).not.toHaveProperty("annotations");
  });

  it.each([
    ["another set", patchArgs({ spec: { pluginConfig: { sets: [{ set: "b" }] } } })],
    ["a confirmation", patchArgs({ spec: { pluginConfig: { fresh: { [NS]: "a" } } } })],
    ["no confirmation", patchArgs([{ op: "remove", path: "/spec/pluginConfig/fresh" }], "json")],
    ["a note", patchArgs({ metadata: { annotations: { "wpgate.dev/change": "add orders" } } })],
    ["no note", patchArgs({ metadata: { annotations: { "wpgate.dev/change": null } } })],
  ])("can give it %s", async (_, args) => {
    await kubectlAs(lab, BROAD, args);
  });

  it("can give it as much content as fits into an object", async () => {
    const envelopes = Array.from({ length: 18 }, (_, i) => String(i).padEnd(50_000, "x"));
    const args = ["apply", "--server-side", "--force-conflicts", "--field-manager=owner", "-f", "-"];
    await kubectlAs(lab, BROAD, args, content({ sets: [{ envelopes }] }));
    await kubectlAs(lab, BROAD, args, content({ sets: [{}] }));
  });

  it("cannot change a member that Istio adds one day", async () => {
    const schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/later";
    const patch = JSON.stringify([{ op: "add", path: schema, value: { type: "string" } }]);
    await lab.kubectl(["patch", "crd", "wasmplugins.extensions.istio.io", "--type=json", "-p", patch]);
    // Until the new schema is served, the API server drops what it does not know.
    const message = await until({
      what: "spec.later being refused",
      timeoutMs: 60_000,
      intervalMs: 100,
      probe: async () =>
        await kubectlAs(lab, BROAD, patchArgs({ spec: { later: "x" } })).then(
          () => undefined,
          (error: unknown) => String(error),
        ),
    });
    expect(message).toContain("the platform team changes spec.later");
  });
});

describe("the platform team", () => {
  it("changes everything, and deletes", async () => {
    await kubectlAs(lab, PLATFORM, patchArgs({ spec: { priority: 5 }, metadata: { labels: { tier: "1" } } }));
    await kubectlAs(lab, PLATFORM, patchArgs({ spec: { priority: null }, metadata: { labels: null } }));
    await kubectlAs(lab, PLATFORM, ["create", "-f", "-"], {
      ...plugin("short-lived", { url: "oci://registry.example.com/x", pluginConfig: { wpgate: 1 } }),
    });
    await kubectlAs(lab, PLATFORM, ["delete", "wasmplugin", "short-lived", "-n", NS]);
  });

  it("is not whoever has every right in the cluster", async () => {
    expect(await refusalOf(lab, ADMIN, patchArgs({ spec: { priority: 5 } }))).toContain("spec.priority");
  });

  it("deletes in the foreground: the garbage collector takes its finalizer off", async () => {
    const of = { ...plugin("in-foreground", { url: "oci://registry.example.com/x", pluginConfig: { wpgate: 1 } }) };
    await kubectlAs(lab, PLATFORM, ["create", "-f", "-"], of);
    const args = ["delete", "wasmplugin", "in-foreground", "-n", NS, "--cascade=foreground", "--wait=false"];
    await kubectlAs(lab, PLATFORM, args);
    const done = ["patch", "wasmplugin", "in-foreground", "-n", NS, "--type=merge", "-p"];
    const collector = account("kube-system", "generic-garbage-collector");
    await kubectlAs(lab, collector, [...done, JSON.stringify({ metadata: { finalizers: null } })]);
    expect(await lab.kubectl(["get", "wasmplugins", "-n", NS, "-o", "name"])).not.toContain("in-foreground");
  });
});

describe("an editor with the shipped Role", () => {
  it.each([
    [true, "get", "wasmplugins/wpgate"],
    [true, "patch", "wasmplugins/wpgate"],
    [true, "list", "wasmplugins"],
    [false, "patch", "wasmplugins/other"],
    [false, "create", "wasmplugins"],
    [false, "delete", "wasmplugins/wpgate"],
    [false, "deletecollection", "wasmplugins"],
    [false, "create", "trafficextensions.extensions.istio.io"],
    [false, "create", "envoyfilters.networking.istio.io"],
    [false, "get", "secrets"],
    [false, "patch", "roles.rbac.authorization.k8s.io/wpgate-editor"],
  ])("%s: %s %s", async (allowed, verb, resource) => {
    const args = ["auth", "can-i", verb, resource, "-n", NS];
    if (allowed) expect(await kubectlAs(lab, EDITOR, args)).toBe("yes\n");
    else await expect(kubectlAs(lab, EDITOR, args)).rejects.toThrow();
  });

  it("owns the content, and the platform team the rest", async () => {
    const { metadata } = await current();
    const fields = metadata["managedFields"] as { manager: string; operation: string; fieldsV1: object }[];
    const of = (manager: string): unknown => fields.find((entry) => entry.manager === manager)?.fieldsV1;
    expect(of("owner")).toEqual({ "f:spec": { "f:pluginConfig": { "f:wpgate": {}, "f:sets": {} } } });
    expect(of("wpgate-platform")).toEqual({
      "f:spec": {
        ...Object.fromEntries(["f:url", "f:sha256", "f:phase", "f:failStrategy", "f:match"].map((name) => [name, {}])),
        "f:pluginConfig": { "f:wpgate": {} },
      },
    });
  });

  it("hands out content without a conflict, before and after the platform team's next module", async () => {
    const apply = ["apply", "--server-side", "--field-manager=owner", "-f", "-"];
    await kubectlAs(lab, EDITOR, apply, content({ sets: [{ set: "one" }] }));
    expect(await applyFolder(lab, "namespace")).toContain("wasmplugin.extensions.istio.io/wpgate");
    expect(at(await current(), "spec", "pluginConfig")).toEqual({ wpgate: 1, sets: [{ set: "one" }] });
    await kubectlAs(lab, EDITOR, apply, content({ sets: [{ set: "two" }] }));
  });
});

describe("the online signer's account, with every right of RBAC", () => {
  beforeAll(async () => {
    const binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding" };
    await lab.apply({
      ...{ ...binding, metadata: { name: "too-much", namespace: NS } },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "broad" },
      subjects: [{ kind: "ServiceAccount", name: "wpgate-fresh", namespace: NS }],
    });
    await untilAllowed(lab, SIGNER, { verb: "*", resource: "*", namespace: NS });
  });

  it("changes spec.pluginConfig.fresh", async () => {
    await kubectlAs(lab, SIGNER, patchArgs({ spec: { pluginConfig: { fresh: { [NS]: "b" } } } }));
    await kubectlAs(lab, SIGNER, patchArgs({ spec: { pluginConfig: { fresh: { "istio-system": "c" } } } }));
  });

  it.each([
    ["sets", { sets: [{ set: "mine" }] }],
    ["sets", { sets: null, fresh: { [NS]: "c" } }],
    ["other", { other: 1 }],
  ])("cannot change spec.pluginConfig.%s", async (field, pluginConfig) => {
    expect(await refusalOf(lab, SIGNER, patchArgs({ spec: { pluginConfig } }))).toMatch(
      new RegExp(`may change only spec.pluginConfig.fresh, not spec.pluginConfig.${field}$`),
    );
  });

  it("cannot do what an editor cannot", async () => {
    expect(await refusalOf(lab, SIGNER, patchArgs({ spec: { url: "oci://mine" } }))).toContain("spec.url");
    expect(await refusalOf(lab, SIGNER, ["delete", "wasmplugin", "wpgate", "-n", NS])).toContain("deletes");
  });
});

describe("a namespace that goes", () => {
  it("takes its WasmPlugin along, and not before it goes", async () => {
    await namespace("leaving");
    const metadata = { name: "wpgate", namespace: "leaving" };
    const gone = { ...plugin("wpgate", { url: "oci://x", pluginConfig: { wpgate: 1 } }), metadata };
    await kubectlAs(lab, PLATFORM, ["create", "-f", "-"], gone);
    const all = ["delete", "--raw", "/apis/extensions.istio.io/v1alpha1/namespaces/leaving/wasmplugins"];
    expect(await refusalOf(lab, NAMESPACE_CONTROLLER, all)).toContain("only the platform team deletes");
    await lab.kubectl(["delete", "namespace", "leaving", "--wait=false"]);
    // Like the controller itself, until the API server's own view of the namespace is up to date.
    await until({
      what: "the namespace's WasmPlugin being deleted",
      timeoutMs: 60_000,
      intervalMs: 100,
      probe: async () =>
        await kubectlAs(lab, NAMESPACE_CONTROLLER, all).then(
          () => true,
          () => undefined,
        ),
    });
    expect(await lab.kubectl(["get", "wasmplugins", "-n", "leaving", "-o", "name"])).toBe("");
  });
});
