/**
 * Somebody who can write any object takes the owner's filter away in every way that istiod knows, and the proxy keeps what the
 * owner's Guard asks for. Each attack is refused by its own clause.
 */
import { afterAll, beforeAll, describe, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { MatchMode } from "../../xds-proxy/src/owner/wasm-plugin.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { build } from "./deployment.ts";
import { attacksOn, type Context, type Objects, type Place } from "../lab/guard-attacks.ts";
import { Proxied } from "../lab/proxied.ts";
import { isSynced } from "../lab/syncz.ts";

const LABELS = { app: "shop" };
const NAMESPACES = { sotw: "team-a", delta: "team-b" } as const;

interface Kind {
  readonly context: Context;
  readonly mode: MatchMode;
  /** Of the lab's own objects. */
  readonly objects: readonly string[];
  /** Members of the Guard's spec. */
  readonly guard: Readonly<Record<string, unknown>>;
}

const KINDS: Readonly<Record<"sidecar" | "gateway", Kind>> = {
  sidecar: {
    ...{ context: "SIDECAR_INBOUND", mode: "SERVER", objects: ["sidecar"] },
    guard: { http: { normalizePath: true, useRemoteAddress: false, xffNumTrustedHops: 0 } },
  },
  gateway: {
    ...{ context: "GATEWAY", mode: "CLIENT", objects: ["gateway", "virtualservice"] },
    guard: { http: { normalizePath: true, useRemoteAddress: true, xffNumTrustedHops: 0 }, routes: { rds: "allow" } },
  },
};

let lab: Lab;

/** The tests of a file, for one kind of proxy. */
export function besiege(kind: keyof typeof KINDS): void {
  beforeAll(async () => {
    lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  });
  afterAll(() => lab.stop());
  describe.each(["sotw", "delta"] as const)("%s", (protocol) => {
    besiegeOver(protocol, kind);
  });
}

function besiegeOver(protocol: keyof typeof NAMESPACES, kind: keyof typeof KINDS): void {
  const { context, mode, objects: kinds, guard } = KINDS[kind];
  const namespace = NAMESPACES[protocol];
  // Two gateways in one mesh cannot lead to the same host.
  const name = `shop-${protocol}`;
  let module: PinnedModule;
  let proxied: Proxied;
  let place: Place;
  /** Everything as it should be, to be applied again after an attack. */
  let rightful: Objects;

  beforeAll(async () => {
    const owner = await Owner.create({ ns: namespace });
    const pin = pinOf([owner]);
    module = await PinnedModule.create(pin);
    await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const delta = protocol === "delta";
    proxied = await Proxied.start({
      lab,
      kind,
      pin,
      namespace,
      name,
      labels: LABELS,
      ...{ delta, parentShutdownTimeSec: 1 },
    });
    const { address, port, app } = proxied.workload;
    place = { context, namespace, name, labels: LABELS, address, port, appPort: app.port };
    const plugin = module.plugin({ namespace, mode, selector: LABELS, bundles: [await signed(owner)] });
    const belts = (await build(lab, "namespace")).filter(({ kind }) => kind === "EnvoyFilter");
    rightful = [...belts.map((belt) => ({ ...inContext(belt), metadata: { ...belt.metadata, namespace } })), plugin];
    await lab.apply(...rightful, ...(await labObjects()));
    await expectRight();
  });
  afterAll(async () => {
    await proxied.stop();
    await module.remove();
  });

  async function signed(owner: Owner): ReturnType<Owner["bundle"]> {
    const rules = [{ to: [{ operation: { paths: ["/orders*"] } }] }];
    return await owner.bundle({
      policies: [{ name: "allow-orders", spec: { action: "ALLOW", rules } }],
      objects: [
        {
          ...{ apiVersion: "wpgate.dev/v1", kind: "Guard", metadata: { name: "shop", namespace } },
          spec: {
            selector: { matchLabels: LABELS },
            ports: [{ port: place.port }],
            filter: { sha256: [module.sha256] },
            ...guard,
          },
        },
      ],
    });
  }

  /** What the lab has made for the workload. */
  async function labObjects(): Promise<Objects> {
    return await Promise.all(
      kinds.map(async (resource) => {
        const text = await lab.kubectl(["get", resource, name, "-n", namespace, "-o", "json"]);
        const { apiVersion, kind, spec } = JSON.parse(text) as Record<string, unknown>;
        return { apiVersion, kind, spec, metadata: { name, namespace } };
      }),
    );
  }

  async function expectRight(allowed = 200): Promise<void> {
    await proxied.workload.answers("/customers", 403);
    await proxied.workload.answers("/orders/1", allowed);
  }

  test("an Envoy behind the proxy does what the owner says", () => expectRight());

  test.each(attacksOn(context))(
    "$what: $clause",
    async ({ clause, type, objects, deletes = [], mesh, leavesNothing = false }) => {
      const original = await labObjects();
      const since = proxied.proxy.log.count;
      const plugin = rightful.at(-1) ?? {};
      const added = objects(place, plugin);
      if (added.length > 0) await lab.apply(...added);
      for (const name of deletes) await lab.kubectl(["delete", name, "-n", namespace]);
      if (mesh) await lab.istiod.editMesh(mesh);
      await until({
        what: `${type} refused by ${clause}`,
        timeoutMs: 20_000,
        context: () => proxied.proxy.log.tail(4),
        probe: () => {
          const refusals = proxied.refusalsSince(since);
          return refusals.some((refusal) => refusal.type === type && refusal.code === clause) ? true : undefined;
        },
      });
      await expectRight(leavesNothing ? 404 : 200);
      await lab.kubectl([
        "delete",
        "envoyfilter/attack",
        "requestauthentication/mine",
        "-n",
        namespace,
        "--ignore-not-found",
      ]);
      await lab.apply(...rightful, ...original);
      if (mesh) await lab.istiod.editMesh({});
      await until({
        what: "istiod's configuration accepted again",
        timeoutMs: 20_000,
        context: () => proxied.proxy.log.tail(4),
        probe: async () => ((await isSynced(lab, `${name}.${namespace}`)) ? true : undefined),
      });
      await expectRight();
    },
  );

  test("an Envoy that starts in the middle of an attack gets what was verified before", async () => {
    await lab.kubectl(["delete", "wasmplugin/wpgate", "-n", namespace]);
    await proxied.restartProxy();
    await proxied.workload.hotRestart();
    await expectRight();
  });

  function inContext(belt: Objects[number]): Objects[number] {
    return JSON.parse(JSON.stringify(belt).replaceAll("SIDECAR_INBOUND", context)) as Objects[number];
  }
}
