/** Responses and requests on their way through the proxy: what comes out, and what the origin hears of it. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CLUSTER, ENDPOINTS, EXTENSION, LISTENER, ROUTES } from "../../xds-proxy/src/xds/type-url.ts";
import type { ProxyTrust } from "./harness/proxy-config.ts";
import { NODE, pushTrust, resource, Scene, type Flow, type SceneOptions } from "./scene.ts";

const FLOWS = ["check", "wrap+unwrap", "carried"] as const satisfies readonly Flow[];
const PROTOCOLS = ["sotw", "delta"] as const;
/** Left to the test. */
const HELD = (): undefined => undefined;

let trust: ProxyTrust;
let scene: Scene | undefined;

beforeAll(async () => {
  trust = await pushTrust();
});
afterEach(async () => {
  await scene?.stop();
  scene = undefined;
});

async function open(options: Pick<SceneOptions, "flow" | "protocol"> & Partial<SceneOptions>): Promise<Scene> {
  scene = await Scene.start({ trust, ...options });
  return scene;
}

describe.each(FLOWS.flatMap((flow) => PROTOCOLS.map((protocol) => [flow, protocol] as const)))(
  "%s, %s",
  (flow, protocol) => {
    const play = { flow, protocol };

    test("what the origin serves arrives as it is, and the origin hears the ACK only after the client's own", async () => {
      const { origin, connect } = await open({ ...play, judge: HELD });
      const served = [resource(CLUSTER, "a", "1"), resource(CLUSTER, "b", "1")];
      const client = connect();
      client.subscribe(CLUSTER);
      const stream = await origin.stream();
      await stream.subscription(CLUSTER);
      const nonce = stream.send({ typeUrl: CLUSTER, version: "7", resources: served });
      const response = await client.response();
      expect(response.resources.map(({ name, value }) => [name, Buffer.from(value)])).toEqual(
        served.map(({ name, value }) => [name, Buffer.from(value)]),
      );
      expect(response.version).toBe("7");
      // Requests go up in order: had there been an answer, it would be there before this.
      client.subscribe(LISTENER);
      await stream.subscription(LISTENER);
      expect(stream.answersTo(nonce)).toEqual([]);
      client.accept(response);
      expect(await stream.answer(nonce)).toMatchObject({
        ...{ typeUrl: CLUSTER, error: undefined, version: protocol === "sotw" ? "7" : "" },
      });
      expect(stream.answersTo(nonce)).toHaveLength(1);
    });

    test("a refusal by the client reaches the origin in its words, in one printable line", async () => {
      const judge = (): { reject: string } => ({ reject: "no\u0000 such\nfilter \u001b[31mred" });
      const { origin, connect, proxy } = await open({ ...play, judge });
      connect().subscribe(CLUSTER);
      const stream = await origin.stream();
      await stream.subscription(CLUSTER);
      const nonce = stream.send({ typeUrl: CLUSTER, version: "1", resources: [resource(CLUSTER, "a")] });
      const answer = await stream.answer(nonce);
      expect(answer).toMatchObject({ error: "no  such filter  [31mred", version: "" });
      expect((await proxy.type(CLUSTER))?.lastRefusal).toMatchObject({ code: "NACK", resource: "" });
    });

    test("changes of a subscription go up, and what nobody asks for any more does not come down", async () => {
      const { origin, connect } = await open(play);
      origin.serve(
        ENDPOINTS,
        ["a", "b", "c"].map((name) => resource(ENDPOINTS, name, "1")),
      );
      const client = connect();
      client.subscribe(ENDPOINTS, "a");
      const named = (...names: readonly string[]) => ({
        fits: ({ resources }: { resources: readonly { name: string }[] }) =>
          resources.map(({ name }) => name).join() === names.join(),
      });
      await client.response(named("a"));
      client.subscribe(ENDPOINTS, "b");
      await client.response(named(...(protocol === "sotw" ? ["a", "b"] : ["b"])));
      client.unsubscribe(ENDPOINTS, "a");
      const stream = await origin.stream();
      await until({
        what: "the names without a",
        probe: () => {
          const last = stream.requests.at(-1);
          const isSo = protocol === "sotw" ? last?.names.join() === "b" : last?.unsubscribed.join() === "a";
          return isSo ? true : undefined;
        },
      });
      const from = client.count;
      origin.serve(
        ENDPOINTS,
        ["b", "c"].map((name) => resource(ENDPOINTS, name, "2")),
      );
      const { resources } = await client.response({ from, fits: (one) => one.resources.some((r) => r.name === "b") });
      expect(resources.map(({ name }) => name)).toEqual(["b"]);
    });

    test("several types keep the order in which the origin sends them", async () => {
      const { origin, connect } = await open(play);
      const client = connect();
      const order = [CLUSTER, ENDPOINTS, LISTENER, ROUTES, EXTENSION];
      client.subscribe(CLUSTER);
      client.subscribe(ENDPOINTS, "x");
      client.subscribe(LISTENER);
      client.subscribe(ROUTES, "x");
      client.subscribe(EXTENSION, "x");
      const stream = await origin.stream();
      await stream.subscription(EXTENSION);
      for (const typeUrl of [...order, ...order.toReversed()])
        stream.send({ typeUrl, version: "1", resources: [resource(typeUrl, "x", "1")] });
      await client.response({ from: 9 });
      expect(client.responses.map(({ typeUrl }) => typeUrl)).toEqual([...order, ...order.toReversed()]);
    });

    test("a stale nonce is passed over", async () => {
      const { origin, connect } = await open(play);
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")]);
      const client = connect();
      client.subscribe(CLUSTER);
      await client.response();
      const stream = await origin.stream();
      await stream.answer("n1");
      client.request({ typeUrl: CLUSTER, nonce: "stale", error: "from yesterday" });
      client.subscribe(LISTENER);
      await stream.subscription(LISTENER);
      expect(stream.requests.filter(({ error }) => error !== undefined)).toEqual([]);
    });

    test("a new stream to the origin takes up what the old one left", async () => {
      const { origin, connect } = await open(play);
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")], "41");
      const client = connect();
      client.subscribe(CLUSTER);
      client.subscribe(ENDPOINTS, "e");
      await client.response();
      const first = await origin.stream();
      await first.answer("n1");
      await first.subscription(ENDPOINTS);
      first.end();
      const second = await origin.stream({ count: 2 });
      await second.subscription(ENDPOINTS);
      expect(second.requests.slice(0, 2)).toMatchObject([
        {
          ...{ typeUrl: CLUSTER, nonce: "", nodeId: NODE.id, names: [] },
          ...(protocol === "sotw" ? { version: "41" } : { initialVersions: new Map([["a", "41"]]) }),
        },
        { typeUrl: ENDPOINTS, names: ["e"], nonce: "" },
      ]);
      const from = client.count;
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "2")], "42");
      expect((await client.response({ from, fits: ({ version }) => version === "42" })).resources).toHaveLength(1);
    });

    test("a client that comes again is served, and says what it has", async () => {
      const { origin, connect } = await open(play);
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")], "41");
      const client = connect();
      client.subscribe(CLUSTER);
      await client.response();
      await (await origin.stream()).answer("n1");
      client.reconnect();
      const stream = await origin.stream({ count: 2 });
      await stream.subscription(CLUSTER);
      const from = client.count;
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "2"), resource(CLUSTER, "b", "1")], "42");
      const { resources } = await client.response({ from, fits: ({ version }) => version === "42" });
      expect(resources.map(({ name }) => name)).toEqual(["a", "b"]);
    });

    test("without an origin the last accepted set of each type is served from the disk", async () => {
      const { origin, connect } = await open(play);
      const types = [CLUSTER, ENDPOINTS, LISTENER, ROUTES, EXTENSION];
      for (const typeUrl of types) origin.serve(typeUrl, [resource(typeUrl, "x", "1")], "9");
      const subscribe = (client: ReturnType<typeof connect>): void => {
        for (const typeUrl of types) client.subscribe(typeUrl, ...(isNamed(typeUrl) ? ["x"] : []));
      };
      const client = connect();
      subscribe(client);
      await client.response({ from: types.length - 1 });
      const stream = await origin.stream();
      for (let i = 1; i <= types.length; i++) await stream.answer(`n${i}`);
      client.close();
      origin.stop();
      await scene?.restart();
      const later = connect();
      subscribe(later);
      await later.response({ from: types.length - 1, timeoutMs: 20_000 });
      const got = later.responses.map(({ typeUrl, resources }) => [typeUrl, Buffer.from(resources[0]?.value ?? [])]);
      expect(new Map(got as [string, Buffer][])).toEqual(
        new Map(types.map((typeUrl) => [typeUrl, Buffer.from(resource(typeUrl, "x", "1").value)])),
      );
    });

    test("at its end it ends streams in order, after what it has sent", async () => {
      const { origin, connect, proxy } = await open(play);
      origin.serve(CLUSTER, [resource(CLUSTER, "a", "1")]);
      const client = connect();
      client.subscribe(CLUSTER);
      await client.response();
      await proxy.drain();
      await until({ what: "the end of the stream", probe: () => client.ended });
      expect(client.ended).toMatchObject({ code: 14, details: "the proxy is shutting down" });
      await until({ what: "the end at the origin", probe: () => (origin.openStreams.length === 0 ? true : undefined) });
    });
  },
);

function isNamed(typeUrl: string): boolean {
  return typeUrl !== CLUSTER && typeUrl !== LISTENER;
}
