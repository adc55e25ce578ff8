import { describe, expect, test } from "vitest";
import { NO_REQUEST } from "../../xds-proxy/src/xds/request.ts";
import { CLUSTER, ENDPOINTS, LISTENER } from "../../xds-proxy/src/xds/type-url.ts";
import { resource, Stage, ups } from "./relay-stage.ts";

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

test("state of the world: an offer before the server's first word leaves nothing to be taken away by name", () => {
  const stage = Stage.opened("sotw", CLUSTER);
  stage.offer(CLUSTER, [resource("a")]);
  expect(stage.relay.known(CLUSTER).initial).toEqual([]);
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
