import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_REQUEST, type Request } from "../../xds-proxy/src/xds/request.ts";
import { Subscription } from "../../xds-proxy/src/xds/subscription.ts";

const TYPE = "t";
const sotw = (...names: string[]): Request => ({ ...NO_REQUEST, typeUrl: TYPE, names });
const delta = (subscribe: string[], unsubscribe: string[] = []): Request => ({
  ...{ ...NO_REQUEST, typeUrl: TYPE, subscribe, unsubscribe },
});

describe("state of the world", () => {
  test("naming nothing first means all, and says so again", () => {
    const subscription = new Subscription(sotw(), "sotw");
    expect([subscription.all, subscription.empty, subscription.wants("x")]).toEqual([true, false, true]);
    expect(subscription.list()).toEqual([]);
    expect(subscription.change(sotw())).toBe(false);
    expect(subscription.all).toBe(true);
  });

  test("after a name was said once, naming nothing means nothing, however often", () => {
    const subscription = new Subscription(sotw(), "sotw");
    expect(subscription.change(sotw("a"))).toBe(true);
    expect([subscription.all, subscription.list()]).toEqual([false, ["a"]]);
    expect(subscription.change(sotw())).toBe(true);
    expect(subscription.empty).toBe(true);
    expect(subscription.change(sotw())).toBe(false);
    expect([subscription.empty, subscription.wants("a")]).toEqual([true, false]);
  });

  test("a star that was said is said again, and given back by naming nothing", () => {
    const subscription = new Subscription(sotw(), "sotw");
    expect(subscription.change(sotw("*", "a"))).toBe(true);
    expect(subscription.list()).toEqual(["*", "a"]);
    expect(subscription.change(sotw("*"))).toBe(true);
    expect(subscription.list()).toEqual(["*"]);
    expect(subscription.change(sotw())).toBe(true);
    expect(subscription.empty).toBe(true);
  });

  test("only another set of names is news", () => {
    const subscription = new Subscription(sotw("a", "b"), "sotw");
    expect(subscription.change(sotw("b", "a"))).toBe(false);
    expect(subscription.change(sotw("b"))).toBe(true);
    expect(subscription.change(sotw("c"))).toBe(true);
    expect([...subscription.names]).toEqual(["c"]);
    expect(subscription.change(sotw("*", "c"))).toBe(true);
  });

  test("is replayed with the version", () => {
    expect(new Subscription(sotw("a"), "sotw").request(TYPE, "v4", { a: "1" })).toEqual({
      ...sotw("a"),
      version: "v4",
    });
  });
});

describe("delta", () => {
  test("naming nothing first means all until the star is given back", () => {
    const subscription = new Subscription(delta([]), "delta");
    expect([subscription.all, subscription.list()]).toEqual([true, []]);
    expect(subscription.change(delta(["a"]))).toBe(true);
    expect([subscription.all, subscription.list()]).toEqual([true, ["*", "a"]]);
    expect(subscription.change(delta([], ["a"]))).toBe(true);
    expect(subscription.list()).toEqual(["*"]);
    expect(subscription.change(delta([], ["*"]))).toBe(true);
    expect([subscription.empty, subscription.list()]).toEqual([true, []]);
  });

  test("unsubscribing comes first where a request does both", () => {
    const subscription = new Subscription(delta(["a"]), "delta");
    expect(subscription.change(delta(["a"], ["a"]))).toBe(true);
    expect(subscription.wants("a")).toBe(true);
  });

  test("an answer that changes nothing is no news", () => {
    const subscription = new Subscription(delta(["a"]), "delta");
    expect(subscription.change(delta([]))).toBe(false);
    expect(subscription.list()).toEqual(["a"]);
  });

  test("is replayed with what the client has", () => {
    const replay = new Subscription(delta(["*", "a"]), "delta").request(TYPE, "v4", { a: "1" });
    expect(replay).toEqual({ ...delta(["*", "a"]), initialVersions: { a: "1" } });
  });
});

test("whatever was said before, a replay asks for what is wanted now", () => {
  const names = fc.subarray(["*", "a", "b", "c"]);
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), (requests) => {
      const [first = [], ...others] = requests;
      const subscription = new Subscription(sotw(...first), "sotw");
      for (const list of others) subscription.change(sotw(...list));
      const last = requests.at(-1) ?? [];
      const isSilent = requests.every((list) => list.length === 0);
      for (const name of ["a", "b", "c", "d"])
        expect(subscription.wants(name)).toBe(isSilent || last.includes("*") || last.includes(name));
      if (subscription.empty) return;
      const again = new Subscription(subscription.request(TYPE, "", {}), "sotw");
      expect([again.all, [...again.names].sort()]).toEqual([subscription.all, [...subscription.names].sort()]);
    }),
  );
});
