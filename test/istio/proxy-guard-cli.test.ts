/**
 * An owner on the command line: what a running Envoy keeps becomes a signed Guard, the proxy holds istiod to it, and whoever
 * asks is told of an attack: of one that the proxy has refused, and of one that has reached an Envoy without a proxy.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { Workload } from "../lab/workload.ts";
import { policyYaml, type Run } from "../cli/harness.ts";
import { ClusterCli } from "./cluster-cli.ts";
import { build } from "./deployment.ts";
import { attacksOn, type Context, type Place } from "../lab/guard-attacks.ts";
import { Proxied } from "../lab/proxied.ts";
import { isSynced } from "../lab/syncz.ts";

const NAME = "shop";
const LABELS = { app: NAME };

/** Each in a namespace of its own; the first one has its owner's folder already. */
const KINDS = [
  {
    kind: "sidecar",
    context: "SIDECAR_INBOUND",
    mode: "SERVER",
    namespace: "team-a",
    bare: "team-a-bare",
    delta: false,
  },
  { kind: "gateway", context: "GATEWAY", mode: "CLIENT", namespace: "edge", bare: "edge-bare", delta: true },
] as const;

let cluster: ClusterCli;
beforeAll(async () => {
  cluster = await ClusterCli.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  cluster.cli.write("a.yaml", policyYaml("a", { method: "GET" }));
});
afterAll(() => cluster.stop());

describe.each(KINDS)("$kind", ({ kind, context, mode, namespace, bare, delta }) => {
  let proxied: Proxied;
  /** With the same owner's filter, but straight from istiod. */
  let unguarded: Workload;

  beforeAll(async () => {
    const pin = await initOwner(namespace);
    await initOwner(bare);
    const place = { name: NAME, labels: LABELS, delta };
    proxied = await Proxied.start({ ...place, lab: cluster.lab, kind, pin, namespace });
    const start = { ...place, namespace: bare, name: `${NAME}-bare` };
    unguarded = await (kind === "sidecar" ? cluster.lab.startSidecar(start) : cluster.lab.startGateway(start));
    for (const owner of [namespace, bare]) {
      await cluster.cli.good("sign", "-C", owner, "a.yaml");
      await cluster.lab.apply(...(await beltOf(owner, context)));
      await handOut(owner);
    }
    await expectRight(proxied.workload);
    await expectRight(unguarded);
  });
  afterAll(() => proxied.stop());

  const live = (): readonly string[] => ["--envoy", adminOf(proxied.workload)];

  test("what the Envoy runs with becomes a Guard, and is signed and handed out like a policy", async () => {
    const guard = await cluster.cli.run(["guard", "init", ...live()]);
    expect([guard.code, guard.stderr]).toEqual([0, ""]);
    cluster.cli.write(`${namespace}.yaml`, guard.stdout);
    const check = await cluster.cli.run(["guard", "check", ...live(), "--guard", `${namespace}.yaml`]);
    expect(check).toEqual({ code: 0, stdout: "", stderr: "wpgate: the configuration keeps what the Guard says\n" });
    await cluster.cli.good("sign", "-C", namespace, `${namespace}.yaml`);
    await handOut(namespace);
    await synced();
    await expectRight(proxied.workload);
    expect(await cluster.cli.good("inspect", `${namespace}/bundle.json`)).toContain("Guard");
  });

  test("nobody has anything to say against it", async () => {
    expect(await cluster.cli.run(["guard", "check", ...live(), "--guard", `${namespace}.yaml`])).toMatchObject({
      ...{ code: 0, stdout: "" },
    });
    const { code, stdout } = await doctor(proxied.workload, namespace);
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${proxied.workload.port} .* covered`, "m"))]);
    const { code: statusCode, stdout: status } = await statusOfProxy();
    expect([statusCode, status]).toEqual([0, expect.not.stringContaining("now refused")]);
  });

  test("an attack is refused, and shown with its clause until it is over", async () => {
    await attack(namespace, proxied.workload);
    const shown = await until({
      what: "the refusal",
      timeoutMs: 20_000,
      context: () => proxied.proxy.log.tail(4),
      probe: async () => {
        const run = await statusOfProxy();
        return run.code === 0 ? undefined : run;
      },
    });
    expect([shown.code, shown.stdout]).toEqual([
      1,
      expect.stringMatching(/LDS .* refused with filter-order at .*envoy\.filters\.http\.lua/),
    ]);
    expect(await doctor(proxied.workload, namespace)).toMatchObject({ code: 0 });
    await expectRight(proxied.workload);
    await cluster.lab.kubectl(["delete", "envoyfilter/attack", "-n", namespace]);
    await synced();
    expect(await statusOfProxy()).toMatchObject({ code: 0 });
  });

  test("the same attack on an Envoy without a proxy is found by the doctor", async () => {
    expect(await doctor(unguarded)).toMatchObject({ code: 0 });
    await attack(bare, unguarded);
    const sick = await until({
      what: "the attack in the Envoy",
      timeoutMs: 20_000,
      probe: async () => {
        const run = await doctor(unguarded);
        return run.code === 0 ? undefined : run;
      },
    });
    const row = new RegExp(`^${unguarded.port} .*filter_chains\\[\\d+\\].* open +.*code: `, "m");
    expect([sick.code, sick.stdout]).toEqual([1, expect.stringMatching(row)]);
    expect(sick.stderr).toContain("wpgate: hint: code: ");
  });

  async function initOwner(owner: string): Promise<string> {
    const names = ["--namespace", owner, "--mesh", "prod", "--contact", "mailto:a@example.com"];
    const pin =
      owner === "team-a" ? cluster.cli.read("pin.json") : await cluster.cli.good("root", "init", "-C", owner, ...names);
    cluster.cli.write(`${owner}.pin.json`, pin);
    await cluster.cli.good("filter", "pin", "--pin", `${owner}.pin.json`, "--out", `${owner}.wasm`);
    await cluster.lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: owner } });
    return pin;
  }

  async function handOut(owner: string): Promise<void> {
    const module = ["--url", `file://${cluster.cli.path(`${owner}.wasm`)}`, "--module", `${owner}.wasm`];
    const plugin = await cluster.cli.good("wasmplugin", `${owner}/bundle.json`, ...module, "--mode", mode);
    expect(await cluster.apply(plugin)).toMatchObject({ code: 0 });
  }

  async function attack(victim: string, workload: Workload): Promise<void> {
    const lua = attacksOn(context).find(({ clause }) => clause === "code");
    const { address, port, app } = workload;
    const place: Place = {
      ...{ context, namespace: victim, name: NAME, labels: LABELS },
      ...{ address, port, appPort: app.port },
    };
    const objects = lua?.objects(place, {}) ?? [];
    expect(objects).toHaveLength(1);
    await cluster.lab.apply(...objects);
  }

  async function doctor(workload: Workload, owner?: string): Promise<Run> {
    const signed = owner === undefined ? [] : ["--bundle", `${owner}/bundle.json`, "--pin", `${owner}.pin.json`];
    return await cluster.cli.run(["doctor", "--envoy", adminOf(workload), ...signed]);
  }

  async function statusOfProxy(): Promise<Run> {
    return await cluster.run(["status", "-n", namespace, "--proxy", `http://127.0.0.1:${proxied.proxy.adminPort}`]);
  }

  async function synced(): Promise<void> {
    await until({
      what: "istiod's configuration accepted",
      timeoutMs: 20_000,
      context: () => proxied.proxy.log.tail(4),
      probe: async () => ((await isSynced(cluster.lab, `${NAME}.${namespace}`)) ? true : undefined),
    });
  }
});

async function beltOf(namespace: string, context: Context): Promise<readonly object[]> {
  const belts = (await build(cluster.lab, "namespace")).filter(({ kind }) => kind === "EnvoyFilter");
  return belts.map((belt) => {
    const own = JSON.stringify(belt).replaceAll("SIDECAR_INBOUND", context);
    return { ...(JSON.parse(own) as object), metadata: { ...belt.metadata, namespace } };
  });
}

function adminOf({ envoy }: Workload): string {
  return `http://127.0.0.1:${envoy.admin.port}`;
}

/** As the policy says. */
async function expectRight(workload: Workload): Promise<void> {
  await workload.answers("/orders", 200);
  expect((await workload.send({ path: "/orders", method: "POST" })).status).toBe(403);
}
