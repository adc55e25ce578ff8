import { expect } from "vitest";
import { Relay, type Inspected, type RelayEffect } from "../../xds-proxy/src/xds/relay.ts";
import { NO_REQUEST, type Request } from "../../xds-proxy/src/xds/request.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";

export function resource(name: string, version = "", typeUrl: string = LISTENER): Resource {
  return makeResource({ name, version, typeUrl, value: new Uint8Array([1]) });
}

/** A relay, and the words for what the test does to it; `d<nonce>` goes down, what goes up is a Request. */
export class Stage {
  readonly relay: Relay;
  readonly #protocol: Protocol;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
    this.relay = new Relay(protocol);
  }

  static opened(protocol: Protocol, typeUrl: string, ...names: string[]): Stage {
    const stage = new Stage(protocol);
    stage.open();
    stage.ask(typeUrl, ...names);
    return stage;
  }

  open(): readonly Request[] {
    return ups(this.relay.handle({ kind: "upstream-open" }));
  }

  close(): void {
    expect(this.relay.handle({ kind: "upstream-closed" })).toEqual([]);
  }

  say(typeUrl: string, request: Partial<Request> = {}): readonly RelayEffect[] {
    return this.relay.handle({ kind: "request", request: { ...NO_REQUEST, typeUrl, ...request } });
  }

  ask(typeUrl: string, ...names: string[]): readonly Request[] {
    return ups(this.say(typeUrl, this.#protocol === "sotw" ? { names } : { subscribe: names }));
  }

  /** Returns our nonce. */
  get(
    typeUrl: string,
    version: string,
    more: Partial<Inspected> & { resources?: Resource[]; removed?: string[] } = {},
  ): string {
    const { resources = [], removed = [], ...rest } = more;
    const delivery = { typeUrl, version, resources, removed };
    const inspected = { typeUrl, version, nonce: `up-${version}`, delivery, ...rest };
    return nonceOf(this.relay.handle({ kind: "response", inspected }));
  }

  offer(typeUrl: string, resources: Resource[]): string {
    const delivery = { typeUrl, version: "kept", resources, removed: [] };
    return nonceOf(this.relay.handle({ kind: "offer", delivery }));
  }

  withhold(typeUrl: string, version: string, refusal = "all of it is bad"): readonly RelayEffect[] {
    return this.relay.handle({ kind: "response", inspected: { typeUrl, version, nonce: `up-${version}`, refusal } });
  }
}

function nonceOf(effects: readonly RelayEffect[]): string {
  const [effect, ...others] = effects;
  expect(others).toEqual([]);
  return effect?.kind === "downstream" ? effect.response.nonce : "";
}

export function ups(effects: readonly RelayEffect[]): readonly Request[] {
  return effects.flatMap((effect) => (effect.kind === "upstream" ? [effect.request] : []));
}

export function kinds(effects: readonly RelayEffect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}
