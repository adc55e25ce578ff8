/** All resources of one type that an origin serves by itself, and what of them a stream still has to get. */
import { equals } from "../../../xds-proxy/src/bytes/octets.ts";
import type { Resource } from "../../../xds-proxy/src/xds/resource.ts";
import type { Response } from "../../../xds-proxy/src/xds/response.ts";
import { TYPES, type Protocol } from "../../../xds-proxy/src/xds/type-url.ts";

/** In delta, a subscription to everything there is, also written as no name at all. */
const WILDCARD = "*";

export class Shelf {
  readonly #typeUrl: string;
  #version = "";
  #resources: ReadonlyMap<string, Resource> = new Map();

  constructor(typeUrl: string) {
    this.#typeUrl = typeUrl;
  }

  /** A resource whose bytes stay the same keeps its version. */
  fill(resources: readonly Resource[], version: string): void {
    const before = this.#resources;
    this.#version = version;
    this.#resources = new Map(
      resources.map((resource) => {
        const old = before.get(resource.name);
        return [resource.name, old && equals(old.any, resource.any) ? old : { ...resource, version }];
      }),
    );
  }

  /** Undefined where there is nothing to tell.
   *  @param delivered - of the stream, version by name; brought up to date in delta */
  contentFor(options: {
    readonly names: readonly string[];
    readonly delivered: Map<string, string>;
    readonly protocol: Protocol;
  }): Pick<Response, "version" | "resources" | "removed"> | undefined {
    const { names, delivered, protocol } = options;
    const wanted = [...this.#resources.values()].filter(({ name }) => wants(names, name));
    if (protocol === "sotw") {
      const fullState = TYPES.get(this.#typeUrl)?.fullState === true;
      return wanted.length > 0 || fullState ? { version: this.#version, resources: wanted, removed: [] } : undefined;
    }
    const resources = wanted.filter(({ name, version }) => delivered.get(name) !== version);
    const removed = [...delivered.keys()].filter((name) => !this.#resources.has(name));
    for (const { name, version } of resources) delivered.set(name, version);
    for (const name of removed) delivered.delete(name);
    return resources.length + removed.length > 0 ? { version: this.#version, resources, removed } : undefined;
  }
}

function wants(names: readonly string[], name: string): boolean {
  return names.length === 0 || names.includes(WILDCARD) || names.includes(name);
}
