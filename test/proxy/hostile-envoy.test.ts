/** What a real Envoy has while somebody attacks what it gets: nothing changes, and its requests are answered throughout. */
import { rm, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../xds-proxy/src/demo/backend.ts";
import type { EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { EXTENSION } from "../../xds-proxy/src/xds/type-url.ts";
import { freePort } from "../lab/free-port.ts";
import { Owner } from "../scenarios/owner.ts";
import { CARRIER_ATTACKS } from "./carrier-attacks.ts";
import { dumpOf, EnvoyPlace, isAt, type Served } from "./envoy-place.ts";
import { Carrier } from "./harness/carrier.ts";
import { LocalProxy } from "./harness/local-proxy.ts";
import { Origin } from "./harness/origin.ts";
import { proxyOptions, type ProxyPlace } from "./harness/proxy-config.ts";

const CARRIED = [
  ...["a push left out", "an older push again", "a push under another type", "two pushes in one response"],
  ...["an unsigned response", "a resource beside the push", "a push of another session", "a push by a stranger"],
  ...["a forged heartbeat", "roots of another namespace", "everything withheld"],
];

const ends: (() => unknown)[] = [];
let folder = "";
let inboundPort = 0;
let listen = "";
let place: EnvoyPlace;
let origin: Origin;
let envoy: EnvoyProcess;
let proxy: LocalProxy;
let served: Served;

function ending<T>(thing: T, end: (thing: T) => unknown): T {
  ends.push(() => end(thing));
  return thing;
}

beforeAll(async () => {
  folder = ending(await mkdtemp(join(tmpdir(), "wpgate-hostile-")), (made) => rm(made, { recursive: true }));
  const app = ending(await startBackend(), (backend) => backend.stop());
  inboundPort = await freePort();
  const adsPort = await freePort();
  listen = `127.0.0.1:${adsPort}`;
  const options = { protocol: "sotw", appPort: app.port, inboundPort, adsPort } as const;
  place = ending(await EnvoyPlace.create(options), (made) => made.remove());
  origin = ending(await Origin.start(), (made) => {
    made.stop();
  });
  envoy = ending(await place.envoy(), (made) => made.stop());
  ends.push(() => proxy.stop());
});
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function startProxy(way: Pick<ProxyPlace, "mode" | "upstream">): Promise<LocalProxy> {
  return await LocalProxy.start(
    proxyOptions(place.trust, { ...way, listen, state: join(folder, "state"), heartbeatSec: 1 }),
  );
}

/** Envoy has the newest state. */
async function converges(): Promise<void> {
  await until({
    what: `Envoy at state ${served.number}`,
    timeoutMs: 60_000,
    probe: async () => (isAt(await dumpOf(envoy), served) ? true : undefined),
  });
  await envoy.admin.ready();
  expect((await send({ port: inboundPort, path: "/" })).status).toBe(200);
}

async function serveNext(): Promise<void> {
  served = await place.next();
  place.serve(origin, served);
}

describe("a carrier of signed pushes", () => {
  let carrier: Carrier;

  beforeAll(async () => {
    const wrapping = proxyOptions(place.trust, {
      ...{ mode: "wrap", upstream: origin.address, listen: "127.0.0.1:0", heartbeatSec: 1 },
    });
    const wrap = ending(await LocalProxy.start(wrapping), (made) => made.stop());
    carrier = ending(await Carrier.start(wrap.address), (made) => {
      made.stop();
    });
    proxy = await startProxy({ mode: "unwrap", upstream: carrier.address });
    await serveNext();
    await converges();
  });
  afterAll(() => proxy.stop());

  test.each(CARRIER_ATTACKS.filter(([what]) => CARRIED.includes(what)))("%s: %s", async (_, code, attack) => {
    // Another proxy, so that none has to wait for what happened to it before.
    await proxy.stop();
    carrier.tamper = (message) => [message];
    const streamsCount = carrier.streams.length;
    proxy = await startProxy({ mode: "unwrap", upstream: carrier.address });
    await serveNext();
    await converges();

    const before = await dumpOf(envoy);
    const stream = await carrier.stream(streamsCount + 1);
    carrier.tamper = () => [];
    const play = { protocol: "sotw", trust: place.trust, before: [...stream.seen], sid: stream.sid, stream } as const;
    const tamper = await attack(play);
    let isFirst = true;
    // Of what follows the attack, one message goes on, so that it shows; and nothing on other streams.
    carrier.tamper = (message, on) => (on === stream && isFirst ? tamper(message, on) : []);
    await serveNext();
    const lost = await proxy.event("upstream.lost");
    isFirst = false;
    expect(lost["code"]).toBe(code);
    expect(await dumpOf(envoy)).toBe(before);
    expect((await send({ port: inboundPort, path: "/" })).status).toBe(200);

    carrier.tamper = (message) => [message];
    await converges();
  });

  test("all of these were played", () => {
    expect(CARRIER_ATTACKS.filter(([what]) => CARRIED.includes(what))).toHaveLength(CARRIED.length);
  });
});

describe("a control plane whose word counts only as far as the owners' goes", () => {
  beforeAll(async () => {
    proxy = await startProxy({ mode: "check", upstream: origin.address });
    await serveNext();
    await converges();
  });

  test.each<readonly [what: string, code: string, change: (now: Served) => Promise<readonly NamespaceBundle[]>]>([
    ["older statements", "ROLLBACK", async () => (await Promise.resolve(before)).bundles],
    ["statements of a stranger", "ROOT_INVALID", async ({ bundles }) => [await strangers(), ...bundles.slice(1)]],
    ["one owner left out", "OMITTED", async ({ bundles }) => await Promise.resolve(bundles.slice(0, 1))],
    ["each policy left out", "OMITTED", async () => (await place.next()).bundles.map(emptied)],
  ])("%s: %s", async (_, code, change) => {
    before = served;
    await serveNext();
    await converges();
    const dump = await dumpOf(envoy);
    place.serveStatements(origin, await change(served));
    const refusal = await until({
      what: `a refusal ${code}`,
      probe: async () => {
        const last = (await proxy.type(EXTENSION))?.lastRefusal;
        return last?.code === code ? last : undefined;
      },
    });
    expect(refusal.resource).toBe("wpgate");
    expect(await dumpOf(envoy)).toBe(dump);
    expect((await send({ port: inboundPort, path: "/" })).status).toBe(200);
  });

  test("bytes that are no response", async () => {
    await serveNext();
    await converges();
    const dump = await dumpOf(envoy);
    (await origin.stream()).sendRaw(Uint8Array.of(0xff, 0xff));
    await proxy.event("upstream.lost", { fits: ({ code }) => code === "PROTOBUF" });
    expect(await dumpOf(envoy)).toBe(dump);
    expect((await send({ port: inboundPort, path: "/" })).status).toBe(200);
    await serveNext();
    await converges();
  });
});

let before: Served;

async function strangers(): Promise<NamespaceBundle> {
  return await (await Owner.create({ ns: "team-a" })).bundle({ policies: [], ver: "1000" });
}

function emptied(bundle: NamespaceBundle): NamespaceBundle {
  return { ...bundle, envelopes: [] };
}
