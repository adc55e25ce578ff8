/** What `wpgate proxy` does between a real istiod and Envoy for the statements of owners that travel through it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { ecdsName, member, wasmConfigs } from "../lab/delivery.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { Proxied } from "../lab/proxied.ts";
import { lastErrors } from "../lab/syncz.ts";

const NAMESPACES = { sotw: "team-a", delta: "team-b" } as const;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
});
afterAll(() => lab.stop());

describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
  const namespace = NAMESPACES[protocol];
  let owner: Owner;
  let module: PinnedModule;
  let proxied: Proxied;

  async function sign(ver: string, path: string): Promise<NamespaceBundle> {
    const spec = { action: "ALLOW", rules: [{ to: [{ operation: { paths: [path] } }] }] };
    return await owner.bundle({ policies: [{ name: "allow", spec }], ver });
  }

  async function apply(bundle: NamespaceBundle, annotations = {}): Promise<void> {
    const plugin = module.plugin({ namespace, selector: { app: "shop" }, bundles: [bundle] }) as { metadata: object };
    await lab.apply({ ...plugin, metadata: { ...plugin.metadata, annotations } });
  }

  beforeAll(async () => {
    owner = await Owner.create({ ns: namespace });
    const pin = pinOf([owner]);
    module = await PinnedModule.create(pin);
    await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const place = { namespace, name: "shop", labels: { app: "shop" }, delta: protocol === "delta" };
    proxied = await Proxied.start({ lab, kind: "sidecar", pin, ...place });
  });
  afterAll(async () => {
    await proxied.stop();
    await module.remove();
  });

  test("without a word of the owner everything is closed, and says why", async () => {
    await proxied.workload.answers("/orders", 503);
    expect(await proxied.lastRefusal("LDS")).toMatchObject({ code: "no-statements" });
  });

  test("with the owner's word it opens", async () => {
    await apply(await sign("1", "/orders*"));
    await proxied.workload.answers("/orders", 200);
    await proxied.workload.answers("/customers", 403);
  });

  test("an annotation leaves Envoy's VMs alone, and other content makes no more than the one that tries it", async () => {
    const bundle = await sign("2", "/customers*");
    await apply(bundle);
    await proxied.workload.answers("/customers", 200);
    const made = (): Promise<number> => proxied.workload.envoy.admin.stat("wasm.envoy.wasm.runtime.v8.created");
    const [before, version] = [await made(), await versionOf("ECDS")];
    await apply(bundle, { note: "nothing" });
    await until({
      what: "the annotated object's push",
      probe: async () => ((await versionOf("ECDS")) === version ? undefined : true),
    });
    expect(await made()).toBe(before);
    await apply(await sign("3", "/orders/*"));
    await proxied.workload.answers("/orders/1", 200);
    expect(await made()).toBe(before + 1);
    const config = (await wasmConfigs(proxied.workload.envoy.admin)).get(ecdsName(`${namespace}/wpgate`));
    expect(member(config, "vm_config", "environment_variables")).toBeUndefined();
  });

  async function versionOf(short: string): Promise<string | undefined> {
    const { streams } = await proxied.streams();
    return streams.flatMap(({ types }) => types).find((type) => type.short === short)?.version;
  }

  test("a forged statement never reaches Envoy, and istiod hears of it", async () => {
    const plugin = module.plugin({
      ...{ namespace, selector: { app: "shop" } },
      bundles: [await owner.bundle({ policies: [], ver: "4", keys: (await Owner.create({ ns: namespace })).keys })],
    });
    await lab.apply(plugin);
    const refusal = await until({
      what: "a refusal",
      probe: async () => {
        const last = await proxied.lastRefusal("ECDS");
        return last?.code === "KEY_UNKNOWN" ? last : undefined;
      },
    });
    expect(refusal.resource).toBe(ecdsName(`${namespace}/wpgate`));
    const told = await until({
      what: "the refusal in istiod's syncz",
      probe: async () => (await lastErrors(lab, `shop.${namespace}`))[0],
    });
    expect(told).toMatch(/^wpgate refused ECDS .*: KEY_UNKNOWN: .*\(the last verified statements are in it instead\)$/);
    await proxied.workload.answers("/orders/1", 200);
  });

  test("the proxy's end and a new one change nothing", async () => {
    await proxied.restartProxy();
    await proxied.workload.answers("/orders/1", 200);
    await proxied.workload.answers("/customers", 403);
  });
});
