/** deploy/kubernetes/namespace and gateway through a real istiod: what is in Envoy's chain, and what is left without wpgate. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { ecdsName, member } from "../lab/delivery.ts";
import { Lab } from "../lab/lab.ts";
import { PinnedModule } from "../lab/plugin.ts";
import type { Workload } from "../lab/workload.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import {
  ADMIN,
  applyFolder,
  build,
  kubectlAs,
  PLATFORM,
  refusalOf,
  untilAllowed,
  type Identity,
} from "./deployment.ts";

const KINDS = [
  { kind: "sidecar", folder: "namespace", namespace: "team-a" },
  { kind: "gateway", folder: "gateway", namespace: "ingress" },
] as const;
/** What Istio puts between them: statistics, faults and CORS of a VirtualService. */
const ISTIOS = ["grpc_stats", "fault", "cors"].map((name) => `envoy.filters.http.${name}`);
const EDITOR = (namespace: string): Identity => ({ user: "erin", groups: [`${namespace}:editors`] });

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  await applyFolder(lab, "platform", ADMIN);
});
afterAll(() => lab.stop());

describe.each(KINDS)("a $kind", ({ kind, folder, namespace }) => {
  let workload: Workload;
  let module: PinnedModule;
  let owner: Owner;

  beforeAll(async () => {
    owner = await Owner.create({ ns: namespace });
    module = await PinnedModule.create(pinOf([owner]));
    const place = { namespace, name: "shop", labels: { app: "shop" } };
    workload = await (kind === "sidecar" ? lab.startSidecar(place) : lab.startGateway(place));
    await workload.answers("/orders", 200);
    await untilAllowed(lab, PLATFORM, { verb: "create", resource: "roles", namespace });
  });
  afterAll(() => module.remove());

  /** Waits until Envoy's only HTTP chain is this. */
  async function hasFilters(...expected: readonly string[]): Promise<void> {
    let found: readonly (readonly string[])[] = [];
    await until({
      what: `the chain ${expected.join(" → ")}`,
      timeoutMs: 20_000,
      intervalMs: 20,
      context: () => `it is ${JSON.stringify(found)}`,
      probe: async () => {
        found = httpFilters(await workload.envoy.admin.configDump("dynamic_listeners"));
        return JSON.stringify(found) === JSON.stringify([expected]) ? true : undefined;
      },
    });
  }

  it("refuses everything before the owner has given content", async () => {
    const objects = (await build(lab, folder)).map((object) =>
      object.kind === "WasmPlugin"
        ? { ...object, spec: { ...(object["spec"] as object), url: `file://${module.path}`, sha256: module.sha256 } }
        : object,
    );
    expect(objects.map((object) => object.kind)).toEqual(["Role", "RoleBinding", "EnvoyFilter", "WasmPlugin"]);
    const apply = async (items: typeof objects): Promise<void> => {
      const list = { apiVersion: "v1", kind: "List", items };
      await kubectlAs(lab, PLATFORM, ["apply", "--server-side", "--field-manager=wpgate-platform", "-f", "-"], list);
    };
    // istiod may see two kinds in any order; in this one the door is never open.
    await apply(objects.slice(0, 3));
    await workload.answers("/orders", 403);
    await apply(objects);
    await workload.answers("/orders", 500);
    await hasFilters(ecdsName(`${namespace}/wpgate`), ...ISTIOS, "wpgate-belt", "envoy.filters.http.router");
  });

  it("asks the owner's policies once there is content, and the belt after them", async () => {
    await untilAllowed(lab, EDITOR(namespace), { verb: "patch", resource: "wasmplugins/wpgate", namespace });
    const rules = [{ to: [{ operation: { paths: ["/orders"] } }] }];
    const bundle = await owner.bundle({ policies: [{ name: "orders", spec: { rules } }] });
    const content = {
      ...{ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin", metadata: { name: "wpgate", namespace } },
      spec: { pluginConfig: { wpgate: 1, sets: [bundle] } },
    };
    await kubectlAs(lab, EDITOR(namespace), ["apply", "--server-side", "--field-manager=owner", "-f", "-"], content);
    await workload.answers("/orders", 200);
    expect(await workload.send({ path: "/admin" })).toMatchObject({ status: 403, body: "" });
    await hasFilters(ecdsName(`${namespace}/wpgate`), ...ISTIOS, "wpgate-belt", "envoy.filters.http.router");
  });

  it("answers 403 once wpgate is gone", async () => {
    await kubectlAs(lab, PLATFORM, ["delete", "wasmplugin", "wpgate", "-n", namespace]);
    await hasFilters(...ISTIOS, "wpgate-belt", "envoy.filters.http.router");
    const refused = { status: 403, body: "RBAC: access denied" };
    expect(await workload.send({ path: "/orders" })).toMatchObject(refused);
    expect(await workload.send({ path: "/orders", headers: [["wasm.ok", "1"]] })).toMatchObject(refused);
  });

  it("answers everything once the belt is gone, too: only the platform team may take it off", async () => {
    const remove = ["delete", "envoyfilter", "wpgate-belt", "-n", namespace];
    expect(await refusalOf(lab, EDITOR(namespace), remove)).toContain("cannot delete resource");
    await kubectlAs(lab, PLATFORM, remove);
    await workload.answers("/orders", 200);
  });
});

/** The names of the filters in each HTTP chain of a configuration; listeners that drain or warm up do not count. */
function httpFilters(value: unknown): readonly (readonly string[])[] {
  if (Array.isArray(value)) return value.flatMap(httpFilters);
  if (!isRecord(value)) return [];
  if ("active_state" in value) return httpFilters(value["active_state"]);
  const filters = value["http_filters"];
  const names = Array.isArray(filters) ? [filters.map((filter) => String(member(filter, "name")))] : [];
  return [...names, ...Object.values(value).flatMap(httpFilters)];
}
