/**
 * The demo's stage on the lab: a sidecar and a gateway of one namespace, and the two WasmPlugins that carry to them what
 * the owner signs. The owner goes through the API server; whoever forges writes to etcd.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import type { Outcome, Probe, Stage } from "../../xds-proxy/src/demo/stage.ts";
import type { Recipient } from "../../xds-proxy/src/envelope/types.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { RECIPIENT_VARIABLE } from "../../xds-proxy/src/owner/recipient.ts";
import type { MatchMode } from "../../xds-proxy/src/owner/wasm-plugin.ts";
import { watchDelivery, type Expected } from "./delivery.ts";
import { Etcd, wasmPluginKey } from "./etcd.ts";
import type { Lab, LabWorkload } from "./lab.ts";
import type { PinnedModule } from "./plugin.ts";
import type { Workload } from "./workload.ts";

const PATIENCE_MS = 30_000;
const PAUSE_MS = 40;
const GATEWAY_LABEL = { istio: "ingressgateway" };

export type JsonObject = Readonly<Record<string, unknown>>;

/** One Envoy, and the WasmPlugin for it. */
export interface Door {
  readonly kind: "sidecar" | "gateway";
  readonly workload: Workload;
  /** Name of the WasmPlugin. */
  readonly plugin: string;
  readonly mode: MatchMode;
  readonly selector: Readonly<Record<string, string>>;
}

export interface LabStageOptions {
  readonly lab: Lab;
  readonly namespace: string;
  readonly app: string;
  /** Pinned to the owner; removed by whoever made it. */
  readonly module: PinnedModule;
  readonly recipient: Recipient;
  /** Sets that travel beside the owner's, such as that of the root namespace. */
  readonly beside?: readonly NamespaceBundle[];
}

export class LabStage implements Stage {
  readonly namespace: string;
  readonly etcd: Etcd;
  readonly module: PinnedModule;
  readonly doors: readonly Door[];
  readonly #lab: Lab;
  readonly #beside: readonly NamespaceBundle[];

  private constructor(options: LabStageOptions, doors: readonly Door[]) {
    this.namespace = options.namespace;
    this.etcd = new Etcd(options.lab.api.etcdUrl);
    this.module = options.module;
    this.doors = doors;
    this.#lab = options.lab;
    this.#beside = options.beside ?? [];
  }

  /** Everything runs; nothing has been delivered yet, and without a filter every request is answered. */
  static async start(options: LabStageOptions): Promise<LabStage> {
    const { lab, app } = options;
    const place = { ...placeOf(options), labels: { app } };
    const sidecar = await lab.startSidecar({ ...place, name: app, concurrency: 2 });
    const labels = { app, ...GATEWAY_LABEL };
    const gateway = await lab.startGateway({ ...place, name: "ingress", labels, delta: true });
    for (const workload of [sidecar, gateway]) await workload.answers("/", 200);
    return new LabStage(options, [
      { kind: "sidecar", workload: sidecar, plugin: "wpgate", mode: "SERVER", selector: { app } },
      { kind: "gateway", workload: gateway, plugin: "wpgate-gateway", mode: "CLIENT", selector: GATEWAY_LABEL },
    ]);
  }

  /** What the owner applies. */
  objects(...bundles: readonly NamespaceBundle[]): readonly JsonObject[] {
    return this.doors.map(({ plugin, mode, selector }) =>
      this.module.plugin({ namespace: this.namespace, name: plugin, mode, selector, bundles }),
    );
  }

  async deliver(bundle: NamespaceBundle, refused: boolean): Promise<Outcome> {
    const sets = [bundle, ...this.#beside];
    const outcomes = refused
      ? await this.rewrite((spec) => ({ ...spec, pluginConfig: { wpgate: 1, sets } }), { refused })
      : await this.apply(this.objects(...sets));
    return inOne(outcomes);
  }

  /** Lets the owner apply its objects; what each door made of them. */
  async apply(objects: readonly JsonObject[]): Promise<readonly Outcome[]> {
    return await this.watch({ refused: false }, async () => {
      await this.#lab.apply(...objects);
    });
  }

  /** Changes `spec` of both objects in etcd; what each door made of it. */
  async rewrite(
    change: (spec: JsonObject) => JsonObject,
    expected: Pick<Expected, "refused">,
  ): Promise<readonly Outcome[]> {
    return await this.watch(expected, async () => {
      for (const { plugin } of this.doors) await this.etcd.rewrite(this.keyOf(plugin), change);
    });
  }

  /** Runs what changes both objects and waits for each Envoy's answer. */
  async watch({ refused }: Pick<Expected, "refused">, change: () => Promise<void>): Promise<readonly Outcome[]> {
    const watches = await Promise.all(
      this.doors.map(async ({ workload, plugin }) => ({
        key: this.keyOf(plugin),
        outcome: await watchDelivery({ workload, plugin: `${this.namespace}/${plugin}` }),
      })),
    );
    await change();
    return await Promise.all(
      watches.map(
        async ({ key, outcome }) => await outcome({ resourceVersion: await this.etcd.revision(key), refused }),
      ),
    );
  }

  keyOf(plugin: string): string {
    return wasmPluginKey(this.namespace, plugin);
  }

  /** Each request to each door as often as it has workers, and more. */
  async probe(expected: readonly Probe[], options: { readonly settle: boolean }): Promise<readonly Probe[]> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const seen: Probe[] = [];
      for (const probe of expected) seen.push({ ...probe, status: await this.#ask(probe) });
      const right = seen.every(({ status }, index) => status === expected[index]?.status);
      if (right || options.settle || performance.now() > deadlineMs) return seen;
      await sleep(PAUSE_MS);
    }
  }

  async #ask({ method, path, status }: Probe): Promise<number> {
    let seen = status;
    for (const { workload } of this.doors)
      for (let time = 0; time < 4 && seen === status; time++) seen = await statusOf(workload, method, path);
    return seen;
  }
}

/** Where a workload of this namespace stands, with the key that sealed policies are for. */
export function placeOf({
  namespace,
  recipient,
}: Pick<LabStageOptions, "namespace" | "recipient">): Pick<LabWorkload, "namespace" | "environment"> {
  const value = encodeBase64Url(concat(recipient.key.exportRaw(), recipient.auth));
  return { namespace, environment: { [RECIPIENT_VARIABLE]: value } };
}

/** 0 while nobody answers. */
async function statusOf(workload: Workload, method: string, path: string): Promise<number> {
  return await workload.send({ method, path }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** Where doors disagree, no code is the one that was expected. */
function inOne(outcomes: readonly Outcome[]): Outcome {
  const codes = outcomes.map((outcome) => outcome.codes);
  const [first = []] = codes;
  return {
    answer: outcomes.every(({ answer }) => answer === "NACK") ? "NACK" : "ACK",
    codes: codes.every((others) => others.join() === first.join()) ? first : codes.flat(),
  };
}
