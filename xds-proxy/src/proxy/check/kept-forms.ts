/** What one node has accepted, now or in an earlier life: the forms that stay when something worse comes. */
import type { Relay } from "../../xds/relay.ts";
import type { Resource } from "../../xds/resource.ts";
import { EXTENSION } from "../../xds/type-url.ts";

/** What nodes accepted, over restarts. */
export interface AcceptedKeeper {
  accepted(node: string, typeUrl: string): readonly Resource[];
  keepAccepted(node: string, typeUrl: string, resources: readonly Resource[], typeVersion?: string): void;
}

export type Forms = ReadonlyMap<string, Resource>;

export interface KeptFormsOptions {
  readonly node: string;
  readonly relay: Relay;
  readonly keeper: AcceptedKeeper;
  /** The form to keep of what was served. */
  readonly originOf: (resource: Resource) => Resource;
}

export class KeptForms {
  readonly #options: KeptFormsOptions;
  readonly #stored = new Map<string, Forms>();

  constructor(options: KeptFormsOptions) {
    this.#options = options;
  }

  /** By name; of this stream, else of the last one. */
  of(typeUrl: string): Forms {
    const accepted = this.#origins(typeUrl, this.#options.relay.known(typeUrl).accepted);
    if (accepted.size === 0) return this.stored(typeUrl);
    return this.#isByName(typeUrl) ? new Map([...this.stored(typeUrl), ...accepted]) : accepted;
  }

  /** As the disk has them. */
  stored(typeUrl: string): Forms {
    const known = this.#stored.get(typeUrl);
    if (known) return known;
    const { keeper, node } = this.#options;
    const forms = new Map(keeper.accepted(node, typeUrl).map((resource) => [resource.name, resource]));
    this.#stored.set(typeUrl, forms);
    return forms;
  }

  /** The node has accepted these. Of what it asks for by name, a server that does not mention it has not taken it away. */
  keep(typeUrl: string, { resources, removed, version }: Acceptance): void {
    const { keeper, node, relay } = this.#options;
    const forms = new Map(this.#origins(typeUrl, resources));
    if (this.#isByName(typeUrl)) {
      const subscription = relay.subscription(typeUrl);
      for (const [name, form] of this.stored(typeUrl))
        if (!forms.has(name) && !removed.includes(name) && subscription?.wants(name) === true) forms.set(name, form);
    }
    this.#stored.set(typeUrl, forms);
    keeper.keepAccepted(node, typeUrl, [...forms.values()], version);
  }

  #isByName(typeUrl: string): boolean {
    return this.#options.relay.subscription(typeUrl)?.all === false;
  }

  /** Only extension configurations are kept in another form than Envoy's. */
  #origins(typeUrl: string, resources: Forms): Forms {
    if (typeUrl !== EXTENSION) return resources;
    return new Map([...resources].map(([name, resource]) => [name, this.#options.originOf(resource)]));
  }
}

export interface Acceptance {
  readonly resources: Forms;
  readonly removed: readonly string[];
  readonly version: string;
}
