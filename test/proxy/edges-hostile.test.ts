/** Peers that do not keep to the protocol, or to a measure: each is refused by name, and nothing grows without bound. */
import { connect as connectHttp2, createServer as createHttp2, type ClientHttp2Session } from "node:http2";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import type { AdsServer } from "../../xds-proxy/src/grpc/ads-server.ts";
import { METHOD_PATHS, type AdsStream, type GrpcStatus } from "../../xds-proxy/src/grpc/ads-stream.ts";
import { bytes, Edges, loopback, MIB, open, take } from "./edges.ts";
import { BrokenOrigin, grpcFrame, gzipBomb } from "./harness/broken-origin.ts";
import { Relay } from "./harness/relay.ts";

let edges: Edges;
/** Run in the opposite order, before the edges are closed. */
let undo: (() => Promise<unknown>)[];

beforeEach(() => {
  edges = new Edges();
  undo = [];
});

afterEach(async () => {
  for (const action of undo.toReversed()) await action();
  await edges.close();
});

/** On a loopback port; connections that are left at the end are cut. */
async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  undo.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

async function broken(
  options: { readonly encoding?: string } = {},
): Promise<{ origin: BrokenOrigin; near: AdsStream }> {
  const origin = await BrokenOrigin.start(options);
  undo.push(() => origin.stop());
  const near = await open(edges.client(loopback(origin.port), {}, { messageMaxBytes: MIB }));
  return { origin, near };
}

async function refusal(
  stream: AdsStream | Promise<unknown>,
): Promise<{ readonly code: string; readonly message: string }> {
  const thrown: unknown = await ("messages" in stream ? take(stream) : stream).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof UpstreamError) return { code: thrown.code, message: thrown.message };
  throw new Error("it did not fail with an UpstreamError", { cause: thrown });
}

const upstreamSays = (code: string, message: RegExp): unknown => ({
  code,
  message: expect.stringMatching(message) as string,
});

describe("an upstream", () => {
  test("whose frame claims 4 GiB", async () => {
    const { origin, near } = await broken();
    (await origin.stream()).write(grpcFrame(bytes("x"), { lengthBytes: 0xffff_ffff }));
    expect(await refusal(near)).toEqual(upstreamSays("EXHAUSTED", /has reached a limit.*larger than max \(4294967295/));
    await near.ended;
  });

  test("that sends more than the configured maximum", async () => {
    const server = await edges.serve();
    const near = await open(edges.client(server.addresses[0], {}, { messageMaxBytes: MIB }));
    const far = await edges.next();
    void far.write(new Uint8Array(2 * MIB));
    expect(await refusal(near)).toEqual(upstreamSays("EXHAUSTED", /larger than max/));
    await Promise.all([near.ended, far.ended]);
  });

  test("that ends within a frame: what was cut is not delivered", async () => {
    const { origin, near } = await broken();
    const stream = await origin.stream();
    stream.write(grpcFrame(bytes("whole")));
    stream.end(grpcFrame(bytes("cut"), { lengthBytes: 100 }));
    expect([await take(near), await take(near)]).toEqual(["whole", undefined]);
    await near.ended;
  });

  test("that breaks within a frame", async () => {
    const { origin, near } = await broken();
    const stream = await origin.stream();
    stream.write(grpcFrame(bytes("cut"), { lengthBytes: 100 }));
    stream.close(2);
    expect(await refusal(near)).toMatchObject({ code: "PROTOCOL" });
    await near.ended;
  });

  test("that compresses a bomb", async () => {
    const { origin, near } = await broken({ encoding: "gzip" });
    const before = process.memoryUsage().rss;
    (await origin.stream()).write(gzipBomb(32 * MIB));
    expect(await refusal(near)).toEqual(upstreamSays("EXHAUSTED", /decompresses to a size larger than/));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    await near.ended;
  });

  test("that compresses without saying so", async () => {
    const { origin, near } = await broken();
    (await origin.stream()).write(gzipBomb(MIB));
    expect(await refusal(near)).toMatchObject({ code: "PROTOCOL" });
    await near.ended;
  });

  test.each([
    ["a page", 200, upstreamSays("PROTOCOL", /answers with something else than gRPC$/)],
    ["an error page", 503, upstreamSays("PROTOCOL", /answers with something else than gRPC$/)],
  ])("that answers with %s", async (_, status, told) => {
    const pages = createHttp2((request, response) => {
      response.writeHead(status, { "content-type": "text/html" });
      response.write("<html>".repeat(100));
    });
    const client = edges.client(loopback(await listening(pages)));
    const near = await open(client);
    void near.write(bytes("request"));
    expect(await refusal(near)).toEqual(told);
    await client.close();
  });

  test("that is no HTTP/2 at all", async () => {
    const other = createServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
    const client = edges.client(loopback(await listening(other)));
    expect(await refusal(open(client))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test.each<[GrpcStatus, string, RegExp]>([
    ["UNAUTHENTICATED", "LOGIN", /does not accept who we are: token or certificate \(why\)$/],
    ["PERMISSION_DENIED", "FORBIDDEN", /does not allow this stream \(why\)$/],
    ["RESOURCE_EXHAUSTED", "EXHAUSTED", /has reached a limit.*\(why\)$/],
    ["UNIMPLEMENTED", "NOT_SERVED", /does not serve ADS of this protocol \(why\)$/],
    ["DEADLINE_EXCEEDED", "TIMEOUT", /did not answer in time \(why\)$/],
    ["UNAVAILABLE", "UNAVAILABLE", /has closed the connection \(why\)$/],
    ["INTERNAL", "PROTOCOL", /against the protocol \(why\)$/],
  ])("that ends with %s", async (grpcStatus, code, message) => {
    const { near, far } = await edges.pair(await edges.serve());
    far.end({ grpcStatus, message: "why" });
    expect(await refusal(near)).toEqual(upstreamSays(code, message));
  });

  test("that is half-open is noticed", async () => {
    const server = await edges.serve();
    const [address = loopback(0)] = server.addresses;
    const relay = await Relay.start(address.kind === "tcp" ? address.port : address.path);
    undo.push(() => relay.stop());
    const near = await open(edges.client(loopback(relay.port), { keepalive: { timeSec: 1, timeoutSec: 1 } }));
    await edges.next();
    relay.freeze();
    expect(await refusal(near)).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("that takes the connection and says nothing", async () => {
    const port = await listening(createServer());
    const client = edges.client(loopback(port), { connectTimeoutSec: 1 });
    expect(await refusal(open(client))).toEqual({
      code: "TIMEOUT",
      message: `upstream 127.0.0.1:${port} did not connect within 1 s`,
    });
    const stop = new AbortController();
    const waiting = open(edges.client(loopback(port)), { signal: stop.signal });
    stop.abort(new Error("stopped by a test"));
    await expect(waiting).rejects.toThrow("stopped by a test");
  });

  test("that was away is connected to as soon as it is back", async () => {
    const relay = await Relay.start(1);
    const client = edges.client(loopback(relay.port));
    await relay.stop();
    expect(await refusal(open(client))).toEqual(
      upstreamSays("UNAVAILABLE", /cannot be reached, or has closed the connection \(connect ECONNREFUSED/),
    );
    await edges.serve({ address: loopback(relay.port) });
    await open(client);
    await edges.next();
  });
});

test("more streams than one connection carries get another one", async () => {
  const client = edges.client((await edges.serve()).addresses[0], {}, { streamsMaxCount: 2 });
  const streams = await Promise.all([1, 2, 3, 4, 5].map(() => open(client)));
  await Promise.all(streams.map(() => edges.next()));
  expect(new Set(edges.streams.map(({ peer }) => peer.address)).size).toBe(3);
  for (const stream of streams) void stream.write(bytes("hello"));
  for (const far of edges.streams) expect(await take(far)).toBe("hello");
});

/** A node below gRPC. */
function session(server: AdsServer): ClientHttp2Session {
  const [address = loopback(0)] = server.addresses;
  const made = connectHttp2(`http://127.0.0.1:${address.kind === "tcp" ? address.port : 0}`);
  undo.push(() => {
    made.destroy();
    return Promise.resolve();
  });
  return made;
}

interface Reply {
  readonly http: number | undefined;
  readonly grpcStatus: string | undefined;
}

async function ask(
  server: AdsServer,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const stream = session(server).request({
    ...{ ":method": "POST", ":path": METHOD_PATHS.sotw, te: "trailers", "content-type": "application/grpc" },
    ...headers,
  });
  return await new Promise((resolve, reject) => {
    const reply: { http?: number; grpcStatus?: string } = {};
    const read = (more: Readonly<Record<string, unknown>>): void => {
      if (typeof more[":status"] === "number") reply.http = more[":status"];
      if (typeof more["grpc-status"] === "string") reply.grpcStatus = more["grpc-status"];
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("error", reject);
    // It never closes its own half.
    stream.on("end", () => {
      resolve({ http: reply.http, grpcStatus: reply.grpcStatus });
    });
    stream.resume();
    stream.write(body);
  });
}

describe("a node", () => {
  const EXHAUSTED = "8";

  test.each([
    [
      "whose frame claims 4 GiB",
      grpcFrame(bytes("x"), { lengthBytes: 0xffff_ffff }),
      {},
      { http: 200, grpcStatus: EXHAUSTED },
    ],
    ["whose frame is a bomb", gzipBomb(32 * MIB), { "grpc-encoding": "gzip" }, { http: 200, grpcStatus: EXHAUSTED }],
    [
      "that compresses in a way nobody knows",
      gzipBomb(MIB),
      { "grpc-encoding": "br" },
      { http: 200, grpcStatus: "12" },
    ],
    [
      "of another content type",
      grpcFrame(bytes("x")),
      { "content-type": "application/json" },
      { http: 415, grpcStatus: undefined },
    ],
    ["that calls another method", grpcFrame(bytes("x")), { ":path": "/other/Method" }, { http: 200, grpcStatus: "12" }],
  ])("%s", async (_, body, headers, reply) => {
    const server = await edges.serve();
    const before = process.memoryUsage().rss;
    expect(await ask(server, body, headers)).toEqual(reply);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    await Promise.all(edges.streams.map(({ ended }) => ended));
    // And the next one is served.
    const near = await open(edges.client(server.addresses[0]));
    void near.write(bytes("hello"));
    const far = edges.streams.at(-1) ?? (await edges.next());
    expect(far.peer.spiffeIds).toEqual([]);
  });

  test("that sends more than the configured maximum", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    void near.write(new Uint8Array(5 * MIB));
    expect(await refusal(near)).toEqual(upstreamSays("EXHAUSTED", /larger than max/));
    await far.ended;
  });
});

describe("a reader that is slow", () => {
  const MESSAGES_COUNT = 8;

  /** Writes as the proxy does; counts what was taken without a wait. */
  async function writeAll(stream: AdsStream, lengthBytes: number, progress: { count: number }): Promise<void> {
    for (let index = 0; index < MESSAGES_COUNT; index++) {
      const waiting = stream.write(new Uint8Array(lengthBytes).fill(index));
      progress.count++;
      await waiting;
    }
  }

  /** Until nothing has moved for a while. */
  async function settled(progress: { readonly count: number }): Promise<number> {
    for (let before = -1; before !== progress.count;) {
      before = progress.count;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return progress.count;
  }

  test("as a node holds back messages of 64 MiB, and memory stays bounded", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    const before = process.memoryUsage().rss;
    const progress = { count: 0 };
    const written = writeAll(far, 64 * MIB, progress);
    // At most one is read ahead and one on its way.
    expect(await settled(progress)).toBeLessThanOrEqual(2);
    for (let index = 0; index < MESSAGES_COUNT; index++) {
      const { value } = (await near.messages[Symbol.asyncIterator]().next()) as { readonly value: Uint8Array };
      expect([value.length, value[0], value.at(-1)]).toEqual([64 * MIB, index, index]);
    }
    await written;
    expect(process.memoryUsage().rss - before).toBeLessThan(MESSAGES_COUNT * 64 * MIB);
  });

  test("as a proxy holds back its node", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    const progress = { count: 0 };
    const written = writeAll(near, 3 * MIB, progress);
    expect(await settled(progress)).toBeLessThanOrEqual(3);
    for (let index = 0; index < MESSAGES_COUNT; index++)
      expect(Buffer.from((await take(far)) ?? "")).toHaveLength(3 * MIB);
    await written;
  });

  test("gets many small messages, which need no wait, in order", async () => {
    const { near, far } = await edges.pair(await edges.serve());
    const texts = Array.from({ length: 1_000 }, (_, index) => `message ${index}`);
    for (const text of texts) expect(far.write(bytes(text))).toBeUndefined();
    far.end();
    const got: string[] = [];
    for await (const message of near.messages) got.push(Buffer.from(message).toString());
    expect(got).toEqual(texts);
  });
});
