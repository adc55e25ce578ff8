/** What one node has accepted, now or in an earlier life: the forms that stay when something worse comes. */
import type { Relay } from "../xds/relay.ts";
import type { Resource } from "../xds/resource.ts";
import { EXTENSION } from "../xds/type-url.ts";

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
    const { accepted } = this.#options.relay.known(typeUrl);
    if (accepted.size === 0) return this.stored(typeUrl);
    return typeUrl === EXTENSION ? this.#origins(accepted) : accepted;
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

  /** The node has accepted these, and they are all that it has of the type. */
  keep(typeUrl: string, resources: Forms, version: string): void {
    const { keeper, node } = this.#options;
    this.#stored.delete(typeUrl);
    keeper.keepAccepted(node, typeUrl, [...this.#origins(resources).values()], version);
  }

  #origins(resources: Forms): Forms {
    return new Map([...resources].map(([name, resource]) => [name, this.#options.originOf(resource)]));
  }
}
