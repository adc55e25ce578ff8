import { describe, expect, test } from "vitest";
import { Relay, type Inspected, type RelayEffect } from "../../xds-proxy/src/xds/relay.ts";
import { NO_REQUEST, type Request } from "../../xds-proxy/src/xds/request.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import { CLUSTER, ENDPOINTS, LISTENER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";

const UNKNOWN = "type.googleapis.com/some.other.Type";

function resource(name: string, version = "", typeUrl = LISTENER): Resource {
  return makeResource({ name, version, typeUrl, value: new Uint8Array([1]) });
}

/** A relay, and the words for what the test does to it; `d<nonce>` goes down, what goes up is a Request. */
class Stage {
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

function ups(effects: readonly RelayEffect[]): readonly Request[] {
  return effects.flatMap((effect) => (effect.kind === "upstream" ? [effect.request] : []));
}

function kinds(effects: readonly RelayEffect[]): readonly string[] {
  return effects.map(({ kind }) => kind);
}

describe("an answer", () => {
  test("goes up after the client's own, with the server's nonce and the version that is in force", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const nonce = stage.get(ENDPOINTS, "v1", { resources: [resource("a")] });
    expect(nonce).not.toBe("up-v1");
    const effects = stage.say(ENDPOINTS, { nonce, version: "v1", names: ["a"] });
    expect(kinds(effects)).toEqual(["accepted", "upstream"]);
    expect(ups(effects)).toEqual([{ ...NO_REQUEST, typeUrl: ENDPOINTS, nonce: "up-v1", version: "v1", names: ["a"] }]);
  });

  test("of the client that is a NACK is one to the server, with the client's words and the version before", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v1"), names: ["a"] });
    const nonce = stage.get(ENDPOINTS, "v2");
    const effects = stage.say(ENDPOINTS, { nonce, names: ["a"], error: "no such thing" });
    expect(effects[0]).toEqual({ kind: "rejected", typeUrl: ENDPOINTS, version: "v2", error: "no such thing" });
    expect(ups(effects)).toMatchObject([{ nonce: "up-v2", version: "v1", error: "no such thing" }]);
  });

  test("is a NACK where something was refused here, whatever the client says; both are told", () => {
    const stage = Stage.opened("delta", ENDPOINTS, "a");
    const first = stage.get(ENDPOINTS, "v1", { refusal: "bad a" });
    expect(ups(stage.say(ENDPOINTS, { nonce: first }))).toEqual([
      { ...NO_REQUEST, typeUrl: ENDPOINTS, nonce: "up-v1", error: "bad a" },
    ]);
    const second = stage.get(ENDPOINTS, "v2", { refusal: "bad a" });
    expect(ups(stage.say(ENDPOINTS, { nonce: second, error: "bad b" }))).toMatchObject([{ error: "bad a; bad b" }]);
  });

  test("that was refused here leaves the version where it was", () => {
    const stage = Stage.opened("sotw", CLUSTER);
    stage.say(CLUSTER, { nonce: stage.get(CLUSTER, "v1") });
    expect(ups(stage.say(CLUSTER, { nonce: stage.get(CLUSTER, "v2", { refusal: "bad" }) }))).toMatchObject([
      { version: "v1", error: "bad" },
    ]);
    expect(stage.relay.views).toMatchObject([{ version: "v1" }]);
  });

  test("is given for each response, in their order, also where the client passes one over", () => {
    const stage = Stage.opened("delta", ENDPOINTS, "a");
    stage.get(ENDPOINTS, "v1");
    const second = stage.get(ENDPOINTS, "v2");
    const third = stage.get(ENDPOINTS, "v3");
    expect(stage.relay.pendingCount).toBe(3);
    expect(ups(stage.say(ENDPOINTS, { nonce: second })).map(({ nonce }) => nonce)).toEqual(["up-v1", "up-v2"]);
    expect(ups(stage.say(ENDPOINTS, { nonce: third })).map(({ nonce }) => nonce)).toEqual(["up-v3"]);
    expect(stage.relay.pendingCount).toBe(0);
  });

  test("waits for nothing of another type", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    stage.ask(CLUSTER);
    stage.get(ENDPOINTS, "e1");
    const nonce = stage.get(CLUSTER, "c1");
    expect(ups(stage.say(CLUSTER, { nonce })).map((request) => request.nonce)).toEqual(["up-c1"]);
  });

  test("is given once", () => {
    const stage = Stage.opened("delta", ENDPOINTS, "a");
    const nonce = stage.get(ENDPOINTS, "v1");
    expect(ups(stage.say(ENDPOINTS, { nonce }))).toHaveLength(1);
    expect(stage.say(ENDPOINTS, { nonce })).toEqual([]);
    expect(stage.say(ENDPOINTS, { nonce, error: "late" })).toEqual([]);
  });

  test("to an offer goes nowhere", () => {
    for (const protocol of ["sotw", "delta"] as const) {
      const stage = Stage.opened(protocol, ENDPOINTS, "a");
      const nonce = stage.offer(ENDPOINTS, [resource("a")]);
      expect(kinds(stage.say(ENDPOINTS, { nonce, names: ["a"] }))).toEqual(["accepted"]);
      const other = stage.offer(ENDPOINTS, [resource("a")]);
      expect(kinds(stage.say(ENDPOINTS, { nonce: other, names: ["a"], error: "no" }))).toEqual(["rejected"]);
    }
  });

  test("to an offer that asks for more takes the names along", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v1"), names: ["a"] });
    const nonce = stage.offer(ENDPOINTS, [resource("a")]);
    expect(ups(stage.say(ENDPOINTS, { nonce, names: ["a", "b"] }))).toMatchObject([
      { nonce: "up-v1", version: "v1", names: ["a", "b"] },
    ]);
  });
});

describe("a response that the client does not get", () => {
  test("is refused at once where nothing is before it", () => {
    const stage = Stage.opened("sotw", CLUSTER);
    expect(ups(stage.withhold(CLUSTER, "v1"))).toMatchObject([
      { nonce: "up-v1", version: "", error: "all of it is bad" },
    ]);
  });

  test("waits for those before it", () => {
    const stage = Stage.opened("sotw", CLUSTER);
    const nonce = stage.get(CLUSTER, "v1");
    expect(stage.withhold(CLUSTER, "v2")).toEqual([]);
    expect(ups(stage.say(CLUSTER, { nonce })).map((request) => [request.nonce, request.error])).toEqual([
      ["up-v1", undefined],
      ["up-v2", "all of it is bad"],
    ]);
  });

  test("is not answered by a request without a nonce", () => {
    const stage = Stage.opened("sotw", CLUSTER);
    stage.get(CLUSTER, "v1");
    stage.withhold(CLUSTER, "v2");
    expect(stage.say(CLUSTER)).toEqual([]);
    expect(stage.relay.pendingCount).toBe(2);
  });
});

describe("a nonce", () => {
  test("that is old, or nobody's, is ignored, and so is what comes with it", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const first = stage.get(ENDPOINTS, "v1");
    stage.say(ENDPOINTS, { nonce: first, names: ["a"] });
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v2"), names: ["a"] });
    for (const nonce of [first, "up-v1", "99", "x"])
      expect(stage.say(ENDPOINTS, { nonce, names: ["a", "b"], error: "no" })).toEqual([
        { kind: "ignored", typeUrl: ENDPOINTS, why: "stale-nonce" },
      ]);
    expect(stage.relay.subscription(ENDPOINTS)?.list()).toEqual(["a"]);
  });

  test("is counted over all types", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    stage.ask(CLUSTER);
    const nonces = [stage.get(CLUSTER, "v1"), stage.get(ENDPOINTS, "v1"), stage.get(CLUSTER, "v2")];
    expect(new Set(nonces).size).toBe(3);
    expect(stage.say(ENDPOINTS, { nonce: nonces[0] ?? "" })).toMatchObject([{ kind: "ignored" }]);
  });
});

describe("names", () => {
  test("that change while a response is in flight go up, and again with its answer", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const first = stage.get(ENDPOINTS, "v1");
    stage.say(ENDPOINTS, { nonce: first, names: ["a"] });
    const second = stage.get(ENDPOINTS, "v2");
    expect(ups(stage.say(ENDPOINTS, { nonce: first, names: ["a", "b"] }))).toMatchObject([
      { nonce: "up-v1", version: "v1", names: ["a", "b"] },
    ]);
    expect(ups(stage.say(ENDPOINTS, { nonce: second, names: ["a", "b"] }))).toMatchObject([
      { nonce: "up-v2", version: "v2", names: ["a", "b"] },
    ]);
  });

  test("that change with an answer are in it (state of the world), or follow it (delta)", () => {
    const sotw = Stage.opened("sotw", ENDPOINTS, "a");
    expect(ups(sotw.say(ENDPOINTS, { nonce: sotw.get(ENDPOINTS, "v1"), names: ["b"] }))).toMatchObject([
      { nonce: "up-v1", names: ["b"] },
    ]);
    const delta = Stage.opened("delta", ENDPOINTS, "a");
    const nonce = delta.get(ENDPOINTS, "v1");
    expect(ups(delta.say(ENDPOINTS, { nonce, subscribe: ["b"], unsubscribe: ["a"] }))).toEqual([
      { ...NO_REQUEST, typeUrl: ENDPOINTS, nonce: "up-v1" },
      { ...NO_REQUEST, typeUrl: ENDPOINTS, subscribe: ["b"], unsubscribe: ["a"] },
    ]);
  });

  test("of a type that nobody asks for any more: nothing but the end of the wish goes up, no NACK ever", () => {
    for (const protocol of ["sotw", "delta"] as const) {
      const stage = Stage.opened(protocol, ENDPOINTS, "a");
      const first = stage.get(ENDPOINTS, "v1");
      stage.say(ENDPOINTS, { nonce: first, names: ["a"] });
      const second = stage.get(ENDPOINTS, "v2");
      expect(ups(stage.say(ENDPOINTS, { nonce: first, unsubscribe: ["a"] }))).toHaveLength(1);
      expect(ups(stage.say(ENDPOINTS, { nonce: second, error: "late" }))).toEqual([]);
      stage.get(ENDPOINTS, "v3", { refusal: "bad" });
      expect(stage.withhold(ENDPOINTS, "v4")).toEqual([]);
      expect(stage.open()).toEqual([]);
    }
  });

  test("that end with a NACK in one request", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const nonce = stage.get(ENDPOINTS, "v1");
    const [request, ...others] = ups(stage.say(ENDPOINTS, { nonce, error: "no" }));
    expect(others).toEqual([]);
    expect(request).toEqual({ ...NO_REQUEST, typeUrl: ENDPOINTS, nonce: "up-v1", version: "", names: [] });
  });

  test("nobody has asked for: the response is ignored", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const inspected = { typeUrl: UNKNOWN, version: "v1", nonce: "n" };
    const ignored = [{ kind: "ignored", typeUrl: UNKNOWN, why: "not-subscribed" }];
    expect(stage.relay.handle({ kind: "response", inspected })).toEqual(ignored);
    const delivery = { typeUrl: UNKNOWN, version: "v1", resources: [], removed: [] };
    expect(stage.relay.handle({ kind: "offer", delivery })).toEqual(ignored);
    expect(stage.relay.known(UNKNOWN)).toEqual({ accepted: new Map(), initial: [] });
  });

  test("all: by a star, and by silence", () => {
    const stage = Stage.opened("sotw", LISTENER);
    stage.ask(CLUSTER, "*");
    expect(stage.relay.views).toMatchObject([
      { typeUrl: LISTENER, all: true },
      { typeUrl: CLUSTER, all: true },
    ]);
    stage.close();
    expect(stage.open().map(({ names }) => names)).toEqual([[], ["*"]]);
  });
});

describe("another stream to the server", () => {
  test("hears everything that is wanted, in the order of asking, with the last good versions", () => {
    const stage = new Stage("sotw");
    expect(stage.ask(CLUSTER)).toEqual([]);
    expect(stage.ask(ENDPOINTS, "a", "b")).toEqual([]);
    expect(stage.open()).toMatchObject([
      { typeUrl: CLUSTER, names: [], version: "" },
      { typeUrl: ENDPOINTS, names: ["a", "b"], version: "" },
    ]);
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v1"), names: ["a", "b"] });
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v2"), names: ["a", "b"], error: "no" });
    stage.close();
    expect(stage.open()).toMatchObject([
      { typeUrl: CLUSTER, nonce: "" },
      { typeUrl: ENDPOINTS, names: ["a", "b"], version: "v1", nonce: "" },
    ]);
  });

  test("gets no answers to what the one before has sent", () => {
    for (const protocol of ["sotw", "delta"] as const) {
      const stage = Stage.opened(protocol, ENDPOINTS, "a");
      const nonce = stage.get(ENDPOINTS, "v1", { resources: [resource("a")] });
      const other = stage.get(ENDPOINTS, "v2");
      stage.close();
      stage.open();
      expect(kinds(stage.say(ENDPOINTS, { nonce, names: ["a"] }))).toEqual(["accepted"]);
      expect(kinds(stage.say(ENDPOINTS, { nonce: other, names: ["a"], error: "no" }))).toEqual(["rejected"]);
      expect(ups(stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v3"), names: ["a"] }))).toMatchObject([
        { nonce: "up-v3" },
      ]);
    }
  });

  test("nothing goes up while there is none", () => {
    const stage = Stage.opened("sotw", ENDPOINTS, "a");
    const nonce = stage.get(ENDPOINTS, "v1");
    stage.close();
    expect(kinds(stage.say(ENDPOINTS, { nonce, names: ["a", "b"] }))).toEqual(["accepted"]);
    expect(stage.open()).toMatchObject([{ names: ["a", "b"], nonce: "" }]);
  });

  test("delta: hears what the client has, and that what is unanswered has to be sent again", () => {
    const stage = Stage.opened("delta", CLUSTER);
    stage.say(CLUSTER, { nonce: stage.get(CLUSTER, "v1", { resources: [resource("a", "1"), resource("b", "1")] }) });
    stage.get(CLUSTER, "v2", { resources: [resource("b", "2"), resource("c", "1")] });
    stage.close();
    expect(stage.open()).toEqual([{ ...NO_REQUEST, typeUrl: CLUSTER, initialVersions: { a: "1", b: "", c: "" } }]);
  });

  test("delta: does not hear of what the client has given back", () => {
    const stage = Stage.opened("delta", ENDPOINTS, "a", "b");
    stage.say(ENDPOINTS, {
      nonce: stage.get(ENDPOINTS, "v1", { resources: [resource("a", "1"), resource("b", "1")] }),
    });
    stage.say(ENDPOINTS, { unsubscribe: ["a"] });
    stage.say(ENDPOINTS, { subscribe: ["a"] });
    stage.close();
    expect(stage.open()).toEqual([
      { ...NO_REQUEST, typeUrl: ENDPOINTS, subscribe: ["b", "a"], initialVersions: { b: "1" } },
    ]);
  });
});

describe("what the client brings along (delta)", () => {
  const brought = (): Stage => {
    const stage = new Stage("delta");
    expect(ups(stage.say(CLUSTER, { initialVersions: { a: "1", b: "1" } }))).toEqual([]);
    return stage;
  };

  test("the server is not told, so that it sends everything, and it is known until then", () => {
    const stage = brought();
    expect(stage.open()).toEqual([{ ...NO_REQUEST, typeUrl: CLUSTER }]);
    expect(stage.relay.known(CLUSTER).initial).toEqual(["a", "b"]);
    stage.withhold(CLUSTER, "v0");
    expect(stage.relay.known(CLUSTER).initial).toEqual(["a", "b"]);
    stage.get(CLUSTER, "v1");
    expect(stage.relay.known(CLUSTER).initial).toEqual([]);
  });

  test("an offer in between does not make it forgotten, and what is offered is told", () => {
    const stage = brought();
    stage.say(CLUSTER, { nonce: stage.offer(CLUSTER, [resource("a", "1")]) });
    stage.offer(CLUSTER, [resource("c", "1")]);
    expect(stage.open()).toMatchObject([{ initialVersions: { a: "1", c: "" } }]);
    expect(stage.relay.known(CLUSTER).initial).toEqual(["b"]);
  });

  test("an offer before the server's first word is what the server does not know of", () => {
    const stage = brought();
    stage.say(CLUSTER, { nonce: stage.offer(CLUSTER, [resource("a", "1")]) });
    stage.open();
    stage.offer(CLUSTER, [resource("a", "1"), resource("d", "1")]);
    expect(stage.relay.known(CLUSTER).initial).toEqual(["b", "d"]);
    stage.get(CLUSTER, "v1");
    stage.offer(CLUSTER, [resource("e", "1")]);
    expect(stage.relay.known(CLUSTER).initial).toEqual([]);
  });
});

describe("what the client has", () => {
  const accepted = (stage: Stage, typeUrl: string): string[] => [...stage.relay.known(typeUrl).accepted.keys()].sort();

  test("counts when it says so, not when it is sent", () => {
    const stage = Stage.opened("sotw", LISTENER);
    const nonce = stage.get(LISTENER, "v1", { resources: [resource("a")] });
    expect(accepted(stage, LISTENER)).toEqual([]);
    stage.say(LISTENER, { nonce, error: "no" });
    expect(accepted(stage, LISTENER)).toEqual([]);
    const [effect] = stage.say(LISTENER, { nonce: stage.get(LISTENER, "v2", { resources: [resource("a")] }) });
    expect(effect).toMatchObject({ kind: "accepted", typeUrl: LISTENER, version: "v2" });
    expect(accepted(stage, LISTENER)).toEqual(["a"]);
    expect(stage.relay.views).toMatchObject([{ acceptedCount: 1, pendingCount: 0, version: "v2" }]);
  });

  test("state of the world: listeners are all in one response, endpoints are not", () => {
    const stage = Stage.opened("sotw", LISTENER);
    stage.ask(ENDPOINTS, "a", "b");
    for (const typeUrl of [LISTENER, ENDPOINTS]) {
      const names = typeUrl === LISTENER ? [] : ["a", "b"];
      stage.say(typeUrl, { nonce: stage.get(typeUrl, "v1", { resources: [resource("a")] }), names });
      stage.say(typeUrl, { nonce: stage.get(typeUrl, "v2", { resources: [resource("b")] }), names });
    }
    expect([accepted(stage, LISTENER), accepted(stage, ENDPOINTS)]).toEqual([["b"], ["a", "b"]]);
    stage.say(ENDPOINTS, { names: ["b"] });
    expect(accepted(stage, ENDPOINTS)).toEqual(["b"]);
  });

  test("delta: grows, and shrinks by what is removed or not wanted any more", () => {
    const stage = Stage.opened("delta", ENDPOINTS, "a", "b", "c");
    stage.say(ENDPOINTS, {
      nonce: stage.get(ENDPOINTS, "v1", { resources: [resource("a"), resource("b"), resource("x")] }),
    });
    expect(accepted(stage, ENDPOINTS)).toEqual(["a", "b"]);
    stage.say(ENDPOINTS, { nonce: stage.get(ENDPOINTS, "v2", { resources: [resource("c")], removed: ["a"] }) });
    expect(accepted(stage, ENDPOINTS)).toEqual(["b", "c"]);
    stage.say(ENDPOINTS, { unsubscribe: ["b"] });
    expect(accepted(stage, ENDPOINTS)).toEqual(["c"]);
  });
});
