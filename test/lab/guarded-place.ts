/** A proxied workload whose owner has a Guard, and everything that has to be applied for it to serve. */
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { Lab } from "./lab.ts";
import { PinnedModule } from "./plugin.ts";
import { Owner, pinOf, type Policy, type SignedObject } from "../scenarios/owner.ts";
import type { Place } from "./guard-attacks.ts";
import { Proxied, type ProxiedOptions } from "./proxied.ts";

export const LABELS = { app: "shop" };
/** What `Proxied` and the lab call it. */
const NAME = "shop";

export interface Word {
  readonly policies?: readonly Policy[];
  /** Members of the Guard's spec, beside the workload's port and module; null for no Guard. */
  readonly guard?: Readonly<Record<string, unknown>> | null;
  readonly guardReaders?: SignedObject["readers"];
  /** What of the module is in the place of a file. */
  readonly module?: { readonly url: string; readonly sha256: string };
}

export interface GuardedPlaceOptions extends Pick<
  ProxiedOptions,
  "config" | "files" | "parentShutdownTimeSec" | "environment"
> {
  readonly lab: Lab;
  readonly namespace: string;
  readonly protocol: "sotw" | "delta";
}

export class GuardedPlace {
  readonly owner: Owner;
  readonly module: PinnedModule;
  readonly proxied: Proxied;
  readonly #lab: Lab;
  #sets = 0;
  #plugin: Readonly<Record<string, unknown>> = {};

  private constructor(parts: { lab: Lab; owner: Owner; module: PinnedModule; proxied: Proxied }) {
    this.#lab = parts.lab;
    this.owner = parts.owner;
    this.module = parts.module;
    this.proxied = parts.proxied;
  }

  /** Nothing has been said yet: it is closed. */
  static async start({ lab, namespace, protocol, ...options }: GuardedPlaceOptions): Promise<GuardedPlace> {
    const owner = await Owner.create({ ns: namespace });
    const pin = pinOf([owner]);
    const module = await PinnedModule.create(pin);
    await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    const proxied = await Proxied.start({
      ...{ lab, kind: "sidecar", pin, namespace, name: NAME, labels: LABELS, delta: protocol === "delta" },
      ...options,
    });
    const place = new GuardedPlace({ lab, owner, module, proxied });
    await place.applyBelt();
    return place;
  }

  get place(): Place {
    const { address, port, app } = this.proxied.workload;
    const { ns: namespace } = this.owner;
    return { context: "SIDECAR_INBOUND", namespace, name: NAME, labels: LABELS, address, port, appPort: app.port };
  }

  /** The WasmPlugin that is in force. */
  get plugin(): Readonly<Record<string, unknown>> {
    return this.#plugin;
  }

  /** How istiod calls the node in `/debug/syncz`. */
  get node(): string {
    return `${NAME}.${this.owner.ns}`;
  }

  /** The owner's next set; where nothing else is said, `/orders*` is allowed. */
  async sign({ policies = [allow("/orders*")], guard = {}, guardReaders }: Word): Promise<NamespaceBundle> {
    const { ns: namespace } = this.owner;
    const metadata = { name: NAME, namespace };
    const spec = {
      ...{ selector: { matchLabels: LABELS }, ports: [{ port: this.place.port }] },
      ...{ filter: { sha256: [this.module.sha256] }, ...guard },
    };
    const object = { apiVersion: "wpgate.dev/v1", kind: "Guard", metadata, spec };
    const objects = guard === null ? [] : [{ ...object, ...(guardReaders && { readers: guardReaders }) }];
    return await this.owner.bundle({ policies, objects, ver: String(++this.#sets) });
  }

  /** Signs, and puts it where istiod finds it. */
  async say(word: Word = {}): Promise<void> {
    const { ns: namespace } = this.owner;
    const bundles = [await this.sign(word)];
    this.#plugin = this.module.plugin({ namespace, selector: LABELS, bundles, ...word.module });
    await this.#lab.apply(this.#plugin);
  }

  async applyBelt(): Promise<void> {
    const file = projectFile("deploy/kubernetes/namespace/belt.yaml");
    await this.#lab.kubectl(["apply", "--server-side", "--force-conflicts", "-n", this.owner.ns, "-f", file]);
  }

  async expectRight(): Promise<void> {
    await this.proxied.workload.answers("/customers", 403);
    await this.proxied.workload.answers("/orders/1", 200);
  }

  async stop(): Promise<void> {
    await this.proxied.stop();
    await this.module.remove();
  }
}

export function allow(path: string): Policy {
  return { name: "allow", spec: { action: "ALLOW", rules: [{ to: [{ operation: { paths: [path] } }] }] } };
}
