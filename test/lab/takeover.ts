/** What whoever writes to etcd or Kubernetes can do to the filter itself. No content is touched, so the filter has no say. */
import { ecdsName } from "./delivery.ts";
import type { Lab } from "./lab.ts";
import type { JsonObject, LabStage } from "./stage.ts";

export interface Takeover {
  readonly what: string;
  /** What Envoy does then, in a few words. */
  readonly effect: string;
  readonly take: () => Promise<void>;
  readonly undo: () => Promise<void>;
}

export function takeovers(lab: Lab, stage: LabStage): readonly Takeover[] {
  const filters = stage.doors.map(({ kind, plugin }) =>
    envoyFilter(stage.namespace, {
      name: `no-${plugin}`,
      context: kind === "sidecar" ? "SIDECAR_INBOUND" : "GATEWAY",
      filter: ecdsName(`${stage.namespace}/${plugin}`),
    }),
  );
  return [
    { what: "deletes the WasmPlugin", effect: "has no filter", ...deletion(stage) },
    {
      ...{ what: "removes the filter with an EnvoyFilter", effect: "has no filter" },
      take: async () => {
        await lab.apply(...filters);
      },
      undo: async () => {
        const names = stage.doors.map(({ plugin }) => `no-${plugin}`);
        await lab.kubectl(["delete", "envoyfilter", "-n", stage.namespace, ...names]);
      },
    },
    {
      ...{ what: "FAIL_OPEN, and a module that is not there", effect: "passes it by" },
      ...change(stage, (spec) => ({ ...spec, failStrategy: "FAIL_OPEN", url: "https://127.0.0.1:1/gone.wasm" })),
    },
  ];
}

/** Both objects disappear from etcd, and come back as they were. */
export function deletion(stage: LabStage): Pick<Takeover, "take" | "undo"> {
  return maltreatment(stage, async (key) => {
    await stage.etcd.remove(key);
  });
}

function change(stage: LabStage, edit: (spec: JsonObject) => JsonObject): Pick<Takeover, "take" | "undo"> {
  return maltreatment(stage, async (key) => {
    await stage.etcd.rewrite(key, edit);
  });
}

function maltreatment(stage: LabStage, maltreat: (key: string) => Promise<void>): Pick<Takeover, "take" | "undo"> {
  const before = new Map<string, JsonObject>();
  return {
    take: async () => {
      for (const { plugin } of stage.doors) {
        const key = stage.keyOf(plugin);
        before.set(key, await stage.etcd.read(key));
        await maltreat(key);
      }
    },
    undo: async () => {
      for (const [key, object] of before) await stage.etcd.write(key, object);
    },
  };
}

function envoyFilter(namespace: string, options: { name: string; context: string; filter: string }): JsonObject {
  const subFilter = { name: options.filter };
  const filter = { name: "envoy.filters.network.http_connection_manager", subFilter };
  const match = { context: options.context, listener: { filterChain: { filter } } };
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: options.name, namespace },
    spec: { configPatches: [{ applyTo: "HTTP_FILTER", match, patch: { operation: "REMOVE" } }] },
  };
}
