/** TLS at the proxy's edges: who is believed, which check fails, and certificates that change while streams go on. */
import { renameSync, writeFileSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ServerTlsFiles } from "../../xds-proxy/src/config/proxy-config.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import type { AdsServer } from "../../xds-proxy/src/grpc/ads-server.ts";
import { Authority, type KeyAndCertificate } from "../scenarios/certificates.ts";
import { bytes, Edges, open, take } from "./edges.ts";

const SPIFFE = "spiffe://cluster.local/ns/team-a/sa/default";

let authority: Authority;
let server: KeyAndCertificate;
let node: KeyAndCertificate;
let edges: Edges;

beforeAll(async () => {
  authority = await Authority.create();
  server = await authority.issue({ dns: "istiod.istio-system.svc" });
  node = await authority.issue({ uri: SPIFFE });
});

beforeEach(() => {
  edges = new Edges();
  edges.write("ca.pem", authority.certificate);
  write("server", server);
  write("node", node);
});

afterEach(async () => {
  await edges.close();
});

function write(name: string, { key, certificate }: KeyAndCertificate): void {
  edges.write(`${name}.pem`, certificate);
  edges.write(`${name}.key`, key);
}

async function serve(tls: Partial<ServerTlsFiles> = {}, tlsPollMs = 20): Promise<AdsServer> {
  const files = { cert: edges.path("server.pem"), key: edges.path("server.key"), clientCert: "required" as const };
  return await edges.serve({ tls: { ...files, ...tls } }, { tlsPollMs });
}

const SERVER_NAME = { serverName: "istiod.istio-system.svc" };
const trusting = (): { readonly ca: string; readonly serverName: string } => ({
  ca: edges.path("ca.pem"),
  ...SERVER_NAME,
});
const asNode = (): { readonly cert: string; readonly key: string } => ({
  cert: edges.path("node.pem"),
  key: edges.path("node.key"),
});

async function refusal(promise: Promise<unknown>): Promise<{ readonly code: string; readonly message: string }> {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof UpstreamError) return { code: thrown.code, message: thrown.message };
  throw new Error("it did not fail with an UpstreamError", { cause: thrown });
}

test("a server is believed by its authority and the name that was expected", async () => {
  const { near, far } = await edges.pair(await serve(), { tls: trusting() });
  void near.write(bytes("hello"));
  expect(await take(far)).toBe("hello");
  expect(far.peer.spiffeIds).toEqual([]);
});

describe("a server that is not believed", () => {
  test.each([
    ["of another authority", { serverName: SERVER_NAME.serverName }, /\(unable to verify the first certificate\)$/],
    [
      "of another name",
      { serverName: "other.example" },
      /(?:Hostname.IP does not match certificate.s altnames: )Host: other\.example\. is not in the cert's altnames/,
    ],
    [
      "without the name, by its address",
      {},
      /(?:Hostname.IP does not match certificate.s altnames: )IP: 127\.0\.0\.1 is not in the cert's list/,
    ],
  ])("%s", async (what, tls, message) => {
    const ca =
      what === "of another authority" ? (await Authority.create("other authority")).certificate : authority.certificate;
    const client = edges.client((await serve()).addresses[0], { tls: { ...tls, ca: edges.write("other.pem", ca) } });
    const told = await refusal(open(client));
    expect(told.code).toBe("UNAVAILABLE");
    expect(told.message).toMatch(message);
    expect(edges.streams).toEqual([]);
  });

  test("because it speaks no TLS", async () => {
    const plain = await edges.serve();
    expect(await refusal(open(edges.client(plain.addresses[0], { tls: trusting() })))).toMatchObject({
      code: "UNAVAILABLE",
    });
  });
});

describe("clients", () => {
  const clientCa = (): { readonly clientCa: string } => ({ clientCa: edges.path("ca.pem") });

  test("say who they are by certificate", async () => {
    const { far } = await edges.pair(await serve(clientCa()), { tls: { ...trusting(), ...asNode() } });
    expect(far.peer.spiffeIds).toEqual([SPIFFE]);
  });

  test("without a certificate are turned away", async () => {
    const client = edges.client((await serve(clientCa())).addresses[0], { tls: trusting() });
    // The server's word comes after the handshake (TLS 1.3): with the stream, or before it.
    const told = await refusal(open(client).then(take));
    expect(told.code).toBe("UNAVAILABLE");
    expect(edges.streams).toEqual([]);
  });

  test("without a certificate are nobody, where it is optional", async () => {
    const { far } = await edges.pair(await serve({ ...clientCa(), clientCert: "optional" }), { tls: trusting() });
    expect(far.peer.spiffeIds).toEqual([]);
  });

  test("with a certificate of another authority are nobody, where it is optional", async () => {
    write("node", await (await Authority.create("other authority")).issue({ uri: SPIFFE }));
    const listening = await serve({ ...clientCa(), clientCert: "optional" });
    const { far } = await edges.pair(listening, { tls: { ...trusting(), ...asNode() } });
    expect(far.peer.spiffeIds).toEqual([]);
  });

  test("with a certificate of another authority are turned away, where it is required", async () => {
    write("node", await (await Authority.create("other authority")).issue({ uri: SPIFFE }));
    const client = edges.client((await serve(clientCa())).addresses[0], { tls: { ...trusting(), ...asNode() } });
    expect(await refusal(open(client).then(take))).toMatchObject({ code: "UNAVAILABLE" });
    expect(edges.streams).toEqual([]);
  });

  test("are not asked where nothing is said about them", async () => {
    const { far } = await edges.pair(await serve(), { tls: { ...trusting(), ...asNode() } });
    expect(far.peer.spiffeIds).toEqual([]);
  });
});

/** As kubelet and istio-agent do: the new file takes the place of the old one. */
function replace(name: string, content: string): void {
  writeFileSync(edges.path(`${name}.new`), content);
  renameSync(edges.path(`${name}.new`), edges.path(name));
}

describe("files that change", () => {
  test("give new connections the new certificate, and old streams go on", async () => {
    const listening = await serve();
    const { near, far } = await edges.pair(listening, { tls: trusting() });
    const next = await Authority.create("next authority");
    const renewed = await next.issue({ dns: SERVER_NAME.serverName });
    replace("server.pem", renewed.certificate);
    await until({
      what: "a certificate that does not fit its key",
      probe: () => edges.logged.find(({ event }) => event === "tls.reload_failed"),
    });
    // Half of the change is not a change.
    const old = await open(edges.client(listening.addresses[0], { tls: trusting() }));
    await edges.next();
    replace("server.key", renewed.key);
    await until({ what: "the reload", probe: () => edges.logged.find(({ event }) => event === "tls.reloaded") });
    const roots = edges.write("next.pem", next.certificate);
    const fresh = await open(edges.client(listening.addresses[0], { tls: { ...trusting(), ca: roots } }));
    await edges.next();
    expect(await refusal(open(edges.client(listening.addresses[0], { tls: trusting() })))).toMatchObject({
      message: expect.stringContaining("unable to verify the first certificate") as string,
    });
    for (const stream of [near, old, fresh]) void stream.write(bytes("still here"));
    for (const stream of edges.streams) expect(await take(stream)).toBe("still here");
    expect(far).toBe(edges.streams[0]);
    expect(edges.logged.map(({ event }) => event)).toEqual(["tls.reload_failed", "tls.reloaded"]);
  });

  test("of a client are used for its next stream", async () => {
    const listening = await serve({ clientCa: edges.path("ca.pem") });
    const client = edges.client(listening.addresses[0], { tls: { ...trusting(), ...asNode() } });
    await open(client);
    await edges.next();
    write("node", await authority.issue({ uri: "spiffe://cluster.local/ns/team-a/sa/other" }));
    await open(client);
    await edges.next();
    expect(edges.streams.map(({ peer }) => peer.spiffeIds)).toEqual([
      [SPIFFE],
      ["spiffe://cluster.local/ns/team-a/sa/other"],
    ]);
    edges.write("node.key", "nothing");
    expect(await refusal(open(client))).toMatchObject({
      code: "LOGIN",
      message: expect.stringContaining("are no certificates and keys in PEM that fit each other") as string,
    });
  });

  test("that are not there at the start are named", async () => {
    const key = edges.path("gone.key");
    await expect(serve({ key })).rejects.toThrow(new ConfigError([{ path: key, message: "cannot be read: ENOENT" }]));
    expect(() => edges.client(undefined, { tls: { ca: key } })).toThrow(ConfigError);
  });
});
