/** The chapter in which the proxy stands between istiod and Envoy: what took the filter away before does so no more. */
import type { Table } from "../../xds-proxy/src/demo/table.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { attacksOn } from "./guard-attacks.ts";
import type { GuardedPlace } from "./guarded-place.ts";
import type { Lab } from "./lab.ts";
import { isSynced, lastErrors } from "./syncz.ts";

/** What the chapter before it has shown to open the door, and a few more. */
const SHOWN = new Set([
  "deletes the WasmPlugin",
  "removes the filter by an EnvoyFilter",
  "fails open, with a module that nobody serves",
  "names another module",
  "inserts Lua before the filter",
  "makes the port a TCP port",
  "turns the filter off on a route",
  "removes the belt",
]);
const PATIENCE_MS = 30_000;

export interface ProxyScene {
  readonly table: Table;
  readonly lab: Lab;
  readonly guarded: GuardedPlace;
}

export async function behindProxy({ table, lab, guarded }: ProxyScene): Promise<void> {
  const { proxied, node, place } = guarded;
  table.chapter("With wpgate proxy between istiod and Envoy, and a Guard that the owner has signed");
  table.tell(`another sidecar, in ${place.namespace}; its owner allows /orders* and nothing else`);
  table.tell("the admission policy is taken away first: who can write any object can do that, too");
  table.head();
  await lab.kubectl(["delete", "validatingadmissionpolicybinding", "--all"]);
  // The API server asks a policy for a moment longer.
  await settles(() =>
    guarded.say().then(
      () => true,
      () => false,
    ),
  );
  await guarded.expectRight();
  const sidecar = await lab.kubectl(["get", "sidecar", place.name, "-n", place.namespace, "-o", "json"]);
  const { apiVersion, kind, spec } = JSON.parse(sidecar) as Record<string, unknown>;
  const original = { apiVersion, kind, spec, metadata: { name: place.name, namespace: place.namespace } };
  let told = "";
  for (const { what, clause, objects, deletes = [] } of attacksOn(place.context)) {
    if (!SHOWN.has(what)) continue;
    const since = proxied.proxy.log.count;
    const added = objects(place, guarded.plugin);
    if (added.length > 0) await lab.apply(...added);
    for (const name of deletes) await lab.kubectl(["delete", name, "-n", place.namespace]);
    const isRefused = await settles(() => proxied.refusalsSince(since).some(({ code }) => code === clause));
    // istiod hears of it after Envoy has answered.
    await settles(async () => {
      [told = ""] = await lastErrors(lab, node);
      return told !== "";
    });
    const isRight = await guarded.expectRight().then(
      () => true,
      () => false,
    );
    const step = { what, envoy: "keeps what was good", code: clause, requests: "2 of 2 as before" };
    table.step({ ...step, right: isRefused && isRight, wrong: "should be refused, and change nothing" });
    await lab.kubectl(["delete", "envoyfilter/attack", "-n", place.namespace, "--ignore-not-found"]);
    await guarded.applyBelt();
    await lab.apply(guarded.plugin, original);
    await settles(() => isSynced(lab, node));
  }
  table.tell("istiod has been told why, and shows it in its own /debug/syncz (istioctl proxy-status):");
  table.tell(told);
}

async function settles(probe: () => boolean | Promise<boolean>): Promise<boolean> {
  return await until({
    ...{ what: "istiod and the proxy coming to rest", timeoutMs: PATIENCE_MS },
    probe: async () => ((await probe()) ? true : undefined),
  }).catch(() => false);
}
