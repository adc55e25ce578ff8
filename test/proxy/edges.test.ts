/** The proxy's gRPC edges towards each other: what goes in comes out, ends in order, and says who is there. */
import { statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import { Relay } from "./harness/relay.ts";
import { bytes, Edges, loopback, MIB, open, take } from "./edges.ts";

let edges: Edges;

beforeEach(() => {
  edges = new Edges();
});

afterEach(async () => {
  await edges.close();
});

async function failure(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof UpstreamError || thrown instanceof ConfigError)
    return { code: thrown.code, message: thrown.message };
  throw new Error("it did not fail with an error of wpgate", { cause: thrown });
}

describe("a stream", () => {
  test.each(["sotw", "delta"] as const)("carries messages both ways: %s", async (protocol) => {
    const { near, far } = await edges.pair(await edges.serve(), {}, { protocol });
    expect([near.protocol, far.protocol]).toEqual([protocol, protocol]);
    void near.write(bytes("request"));
    void near.write(bytes(""));
    expect([await take(far), await take(far)]).toEqual(["request", ""]);
    void far.write(bytes("response"));
    expect(await take(near)).toBe("response");
  });

  test("ends in order when the client closes its half, after what was written", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    void near.write(bytes("last"));
    near.end();
    expect([await take(far), await take(far)]).toEqual(["last", undefined]);
    void far.write(bytes("answer"));
    far.end();
    expect([await take(near), await take(near)]).toEqual(["answer", undefined]);
    await Promise.all([near.ended, far.ended]);
  });

  test("tells the client how the server ends it", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    void far.write(bytes("one"));
    far.end({ grpcStatus: "PERMISSION_DENIED", message: "another namespace" });
    expect(await take(near)).toBe("one");
    expect(await failure(take(near))).toEqual({
      code: "FORBIDDEN",
      message: expect.stringMatching(
        /^upstream 127\.0\.0\.1:\d+ does not allow this stream \(another namespace\)$/,
      ) as string,
    });
    await Promise.all([near.ended, far.ended]);
  });

  test("is over for both when the client cancels", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    near.end({ grpcStatus: "INTERNAL", message: "not sent" });
    await Promise.all([near.ended, far.ended]);
    expect(await take(near)).toBeUndefined();
  });

  test("breaks for both when the connection does", async () => {
    const server = await edges.serve();
    const [address = loopback(0)] = server.addresses;
    const relay = await Relay.start(address.kind === "tcp" ? address.port : address.path);
    const near = await open(edges.client(loopback(relay.port)));
    const far = await edges.next();
    void far.write(bytes("before"));
    expect(await take(near)).toBe("before");
    relay.cut();
    expect(await failure(take(near))).toMatchObject({ code: "UNAVAILABLE" });
    expect(await failure(take(far))).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/^the node at 127\.0\.0\.1:\d+ has gone/) as string,
    });
    await relay.stop();
  });

  test("is cancelled by its signal", async () => {
    const stop = new AbortController();
    const { near, far } = await edges.pair(await edges.serve(), {}, { signal: stop.signal });
    stop.abort();
    await Promise.all([near.ended, far.ended]);
    expect(await failure(take(near))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("takes writes after its end and does nothing", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    far.end();
    expect(far.write(bytes("late"))).toBeUndefined();
    far.end();
    expect(await take(near)).toBeUndefined();
    expect(near.write(bytes("late"))).toBeUndefined();
    near.end();
    await Promise.all([near.ended, far.ended]);
  });
});

describe("the peer", () => {
  test("says its token and session", async () => {
    const token = edges.write("token", "first.token\n");
    const server = await edges.serve();
    const client = edges.client(server.addresses[0], { token });
    await open(client, { metadata: { "wpgate-sid": "abc" } });
    expect((await edges.next()).peer).toEqual({
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      spiffeIds: [],
      bearer: "first.token",
      session: "abc",
    });
    writeFileSync(token, "second.token");
    await open(client);
    expect((await edges.next()).peer.bearer).toBe("second.token");
    await open(client, { metadata: { authorization: "Bearer given" } });
    expect((await edges.next()).peer.bearer).toBe("given");
  });

  test.each([
    ["is missing", undefined, "cannot be read"],
    ["is empty", "\n", "holds something else than one token"],
    ["has two lines", "secret-1\nsecret-2", "holds something else than one token"],
  ])("no stream when the token file %s, and nothing of it is said", async (_, content, message) => {
    if (content !== undefined) edges.write("token", content);
    const client = edges.client((await edges.serve()).addresses[0], { token: edges.path("token") });
    const told = await failure(open(client));
    expect(told).toEqual({ code: "LOGIN", message: `the token file ${edges.path("token")} ${message}` });
  });
});

describe("Unix sockets", () => {
  const unix = (name: string): { readonly kind: "unix"; readonly path: string } => ({
    kind: "unix",
    path: edges.path(name),
  });

  test("in a folder that is made, for this user alone", async () => {
    const server = await edges.serve({ address: unix("etc/istio/proxy/XDS") });
    expect(statSync(edges.path("etc/istio/proxy/XDS")).mode & 0o777).toBe(0o600);
    const { near, far } = await edges.pair(server);
    void near.write(bytes("hello"));
    expect(await take(far)).toBe("hello");
    expect(far.peer.address).toBe(`unix:${edges.path("etc/istio/proxy/XDS")}`);
    await server.close();
    expect(statSync(edges.path("etc/istio/proxy/XDS"), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("with another mode", async () => {
    await edges.serve({ address: unix("XDS"), socketMode: 0o660 });
    expect(statSync(edges.path("XDS")).mode & 0o777).toBe(0o660);
  });

  test("replace what a killed process has left", async () => {
    const script = `require("net").createServer().listen(${JSON.stringify(edges.path("XDS"))}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(spawnSync(process.execPath, ["-e", script]).signal).toBe("SIGKILL");
    expect(statSync(edges.path("XDS")).isSocket()).toBe(true);
    await edges.pair(await edges.serve({ address: unix("XDS") }));
  });

  test("are not taken away from a process that lives, nor a file from anybody", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(edges.path("XDS"), resolve));
    expect(await failure(edges.serve({ address: unix("XDS") }))).toEqual({
      code: "CONFIG",
      message: `listen unix:${edges.path("XDS")}: another process listens there`,
    });
    await new Promise((resolve) => other.close(resolve));
    edges.write("file", "x");
    expect(await failure(edges.serve({ address: unix("file") }))).toMatchObject({
      message: `listen unix:${edges.path("file")}: is there already, and is no socket`,
    });
  });

  test("with a path that is too long are refused by name", async () => {
    expect((await failure(edges.serve({ address: unix("x".repeat(120)) }))).message).toMatch(
      /x: is longer than the 107 bytes that a socket's path may have$/,
    );
  });
});

test("all addresses that cannot be had are named, and none is left open", async () => {
  const taken = await edges.serve();
  const { addresses } = taken;
  const [address = loopback(0)] = addresses;
  const listen = [loopback(0), address, { kind: "unix" as const, path: "/dev/null" }];
  const told = await failure(edges.serve({}, { listen: listen.map((one) => ({ address: one, socketMode: 0o600 })) }));
  expect(told.message).toMatch(
    /^listen 127\.0\.0\.1:\d+: cannot listen there; listen unix:\/dev\/null: is there already, and is no socket$/,
  );
});

test("several addresses, one bound for all of them", async () => {
  const listen = [loopback(0), { kind: "unix" as const, path: edges.path("XDS") }];
  const server = await edges.serve(
    {},
    {
      listen: listen.map((address) => ({ address, socketMode: 0o600 })),
      limits: { requestMaxBytes: 1024, streamsMaxCount: 2 },
    },
  );
  const [tcp, unix] = server.addresses;
  const first = await open(edges.client(tcp));
  await edges.next();
  await open(edges.client(unix));
  await edges.next();
  expect(server.streamsCount).toBe(2);
  const third = await open(edges.client(tcp));
  expect(await failure(take(third))).toEqual({
    code: "EXHAUSTED",
    message: expect.stringContaining("(the proxy serves as many streams as it may)") as string,
  });
  expect(edges.refused).toEqual(["too many"]);
  first.end({ grpcStatus: "INTERNAL", message: "" });
  await edges.streams[0]!.ended;
  await open(edges.client(unix));
  await edges.next();
});

describe("draining", () => {
  test("ends streams after what was written, and takes no new ones", async () => {
    const server = await edges.serve();
    const { near, far } = await edges.pair(server);
    void far.write(bytes("last"));
    await server.drain(5_000);
    expect(await take(near)).toBe("last");
    expect(await failure(take(near))).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("(the proxy is shutting down)") as string,
    });
    await far.ended;
    expect(await failure(open(edges.client(server.addresses[0])))).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(
        /^upstream .* cannot be reached.*\(connect ECONNREFUSED 127\.0\.0\.1:\d+\)$/,
      ) as string,
    });
  });

  test("does not wait longer than it may for a node that reads nothing", async () => {
    const server = await edges.serve();
    const { far } = await edges.pair(server);
    void far.write(new Uint8Array(8 * MIB));
    const sent = far.write(new Uint8Array(8 * MIB));
    await server.drain(200);
    await expect(sent).rejects.toThrow(UpstreamError);
    await far.ended;
  });
});
