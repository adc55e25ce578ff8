import { describe, expect, test } from "vitest";
import { NO_REQUEST } from "../../xds-proxy/src/xds/request.ts";
import { CLUSTER, ENDPOINTS, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { kinds, resource, Stage, ups } from "./relay-stage.ts";

const UNKNOWN = "type.googleapis.com/some.other.Type";

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
