/**
 * Whoever is killed, whenever: floors on the disk never fall, and are there before Envoy gets what they are about; Envoy answers every request as long as it lives itself, and
 * afterwards it has the origin's newest state. `WPGATE_KILLS=NUMBER` kills so many in each protocol.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startBackend } from "../../xds-proxy/src/demo/backend.ts";
import type { EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { describeSet } from "../../xds-proxy/src/owner/describe.ts";
import { Store } from "../../xds-proxy/src/store/store.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { freePort } from "../lab/free-port.ts";
import { dumpOf, EnvoyPlace, isAt, type Served } from "./envoy-place.ts";
import { Origin } from "./harness/origin.ts";
import { proxyOptions } from "./harness/proxy-config.ts";
import { ProxyProcess, SHIPPED } from "./harness/proxy-process.ts";

const KILLS_COUNT = Number(process.env["WPGATE_KILLS"] ?? 6);
/** In turn. */
const VICTIMS = ["beside", "wrapping", "beside", "origin", "beside", "envoy"] as const;
type Victim = (typeof VICTIMS)[number];
/** How far into changes that follow each other the kill comes. */
const MOMENT_MAX_MS = 600;
const CHANGE_MS = 60;
const CONVERGED_MAX_MS = 90_000;
const KILL_MAX_MS = 120_000;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test.each(["sotw", "delta"] as const)(
  "%s",
  async (protocol) => {
    const life = await Life.start(protocol);
    ends.push(() => life.stop());
    await life.converges();
    let floors = life.floors();
    for (let i = 0; i < KILLS_COUNT; i++) {
      const victim = VICTIMS[i % VICTIMS.length] ?? "beside";
      const changes = life.change();
      await sleep(randomInt(MOMENT_MAX_MS));
      await life.kill(victim);
      if (victim === "beside") {
        // What Envoy has been given was on the disk before.
        const given = await life.statementsInForce();
        const after = life.floors();
        for (const [name, floor] of floors)
          expect(after.get(name), `${name} after kill ${i}`).toBeGreaterThanOrEqual(floor);
        expect(after.get("team-a setVer"), `statements after kill ${i}`).toBeGreaterThanOrEqual(given);
        floors = after;
      }
      await changes.end();
      await life.revive(victim);
      await life.converges();
      expect(life.answers(), `after kill ${i} of ${victim}`).toEqual(["200"]);
    }
    // Envoy's own state is the newest, and so is what the proxy would serve without an origin.
    expect(life.floors().get("team-a setVer")).toBe(life.number);
  },
  60_000 + KILLS_COUNT * KILL_MAX_MS,
);

class Life {
  readonly #folder: string;
  readonly #place: EnvoyPlace;
  readonly #ports: Ports;
  #origin: Origin;
  #wrapping: ProxyProcess;
  #beside: ProxyProcess;
  #envoy: EnvoyProcess;
  #served: Served;
  readonly #requests: Requests;

  private constructor(parts: {
    folder: string;
    place: EnvoyPlace;
    ports: Ports;
    origin: Origin;
    wrapping: ProxyProcess;
    beside: ProxyProcess;
    envoy: EnvoyProcess;
    served: Served;
  }) {
    this.#folder = parts.folder;
    this.#place = parts.place;
    this.#ports = parts.ports;
    this.#origin = parts.origin;
    this.#wrapping = parts.wrapping;
    this.#beside = parts.beside;
    this.#envoy = parts.envoy;
    this.#served = parts.served;
    this.#requests = new Requests(parts.ports.inbound);
  }

  static async start(protocol: Protocol): Promise<Life> {
    const folder = await mkdtemp(join(tmpdir(), "wpgate-life-"));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const app = await startBackend();
    ends.push(() => app.stop());
    const ports = { inbound: await freePort(), wrapping: await freePort(), beside: await freePort() };
    const place = await EnvoyPlace.create({
      ...{ protocol, appPort: app.port, inboundPort: ports.inbound, adsPort: ports.beside },
    });
    ends.push(() => place.remove());
    const origin = await startOrigin(folder);
    const served = await place.next();
    place.serve(origin, served);
    const wrapping = await startProxy("wrap", { place, folder, ports });
    const beside = await startProxy("unwrap", { place, folder, ports });
    const envoy = await place.envoy();
    await envoy.admin.ready({ timeoutMs: 60_000 });
    return new Life({ folder, place, ports, origin, wrapping, beside, envoy, served });
  }

  get number(): number {
    return this.#served.number;
  }

  /** The origin changes everything, over and over. */
  change(): { readonly end: () => Promise<void> } {
    const ending = new AbortController();
    const changing = (async () => {
      while (!ending.signal.aborted) {
        this.#served = await this.#place.next();
        this.#place.serve(this.#origin, this.#served);
        await sleep(CHANGE_MS);
      }
    })();
    return {
      end: async () => {
        ending.abort();
        await changing;
      },
    };
  }

  async kill(victim: Victim): Promise<void> {
    if (victim === "origin") this.#origin.stop();
    else if (victim === "envoy") {
      this.#requests.pause();
      process.kill(this.#envoy.pid, "SIGKILL");
      await this.#envoy.stop();
    } else await (victim === "beside" ? this.#beside : this.#wrapping).kill();
  }

  async revive(victim: Victim): Promise<void> {
    const parts = { place: this.#place, folder: this.#folder, ports: this.#ports };
    if (victim === "origin") {
      this.#origin = await startOrigin(this.#folder);
      this.#place.serve(this.#origin, this.#served);
    } else if (victim === "envoy") {
      this.#envoy = await this.#place.envoy();
      await this.#envoy.admin.ready({ timeoutMs: 60_000 });
      this.#requests.resume();
    } else if (victim === "beside") this.#beside = await startProxy("unwrap", parts);
    else this.#wrapping = await startProxy("wrap", parts);
  }

  /** Envoy has the origin's newest state. */
  async converges(): Promise<void> {
    let dump = "";
    await until({
      what: `Envoy at state ${this.number}`,
      timeoutMs: CONVERGED_MAX_MS,
      intervalMs: 50,
      probe: async () => (isAt((dump = await dumpOf(this.#envoy)), this.#served) ? true : undefined),
      context: () => `it has ${dump.match(/inbound_\d+|"name":"c\d+"/g)?.join()}; ${this.#beside.log.tail(5)}`,
    });
  }

  /** The newest version of a set that Envoy has. */
  async statementsInForce(): Promise<number> {
    const sets = [...(await dumpOf(this.#envoy)).matchAll(/"set\\+": \\+"([\w-]+)/g)];
    expect(sets).not.toEqual([]);
    return Math.max(...sets.map(([, set = ""]) => Number(describeSet(set).ver)));
  }

  /** Of every namespace, what must not fall. */
  floors(): ReadonlyMap<string, number> {
    const store = Store.open(join(this.#folder, "state"));
    try {
      return new Map(
        [...store.namespaces()].flatMap(([ns, { state }]) => [
          [`${ns} ep`, state.ep] as const,
          [`${ns} setVer`, Number(state.setVer)] as const,
          [`${ns} freshVer`, Number(state.freshVer)] as const,
          [`${ns} iatMax`, state.iatMax] as const,
        ]),
      );
    } finally {
      store.close();
    }
  }

  /** Everything that requests were answered with since the last call, each once. */
  answers(): readonly string[] {
    return this.#requests.take();
  }

  async stop(): Promise<void> {
    await this.#requests.stop();
    await this.#envoy.stop();
    await this.#beside.stop();
    await this.#wrapping.stop();
    this.#origin.stop();
  }
}

interface Ports {
  readonly inbound: number;
  readonly wrapping: number;
  readonly beside: number;
}

async function startOrigin(folder: string): Promise<Origin> {
  const socket = join(folder, "origin");
  await rm(socket, { force: true });
  return await Origin.start({ socket });
}

async function startProxy(
  mode: "wrap" | "unwrap",
  { place, folder, ports }: { place: EnvoyPlace; folder: string; ports: Ports },
): Promise<ProxyProcess> {
  const wrapping = `127.0.0.1:${ports.wrapping}`;
  const way =
    mode === "wrap"
      ? { upstream: `unix:${join(folder, "origin")}`, listen: wrapping }
      : { upstream: wrapping, listen: `127.0.0.1:${ports.beside}`, state: join(folder, "state") };
  return await ProxyProcess.start({
    ...proxyOptions(place.trust, { mode, heartbeatSec: 1, ...way }),
    program: SHIPPED,
  });
}

/** One request after the other, for as long as there is an Envoy. */
class Requests {
  readonly #port: number;
  readonly #answers = new Set<string>();
  readonly #loop: Promise<void>;
  #state: "on" | "paused" | "off" = "on";

  constructor(port: number) {
    this.#port = port;
    this.#loop = this.#run();
  }

  pause(): void {
    this.#state = "paused";
  }

  resume(): void {
    this.#state = "on";
  }

  take(): readonly string[] {
    const answers = [...this.#answers].toSorted();
    this.#answers.clear();
    return answers;
  }

  async stop(): Promise<void> {
    this.#state = "off";
    await this.#loop;
  }

  async #run(): Promise<void> {
    const isOn = (): boolean => this.#state === "on";
    while (this.#state !== "off") {
      if (isOn()) {
        const answer = await send({ port: this.#port, path: "/" }).then(
          ({ status }) => String(status),
          (error: unknown) => String(error),
        );
        // Envoy may have been killed meanwhile.
        if (isOn()) this.#answers.add(answer);
      }
      await sleep(10);
    }
  }
}
