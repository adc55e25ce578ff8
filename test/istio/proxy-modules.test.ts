/**
 * The module over `http://` and `oci://` without istio-agent: the proxy fetches it, compares it with its digest, and gives Envoy
 * a file. What it cannot fetch is refused by name; Envoy keeps what it has, or is closed.
 */
import { createServer, type Server } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { ecdsName, member, wasmConfigs } from "../lab/delivery.ts";
import { Lab } from "../lab/lab.ts";
import { publishModule, type Layout, type ModuleAddress, type ModuleSource } from "../lab/module-source.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { allow } from "../lab/guarded-place.ts";
import { Proxied } from "../lab/proxied.ts";

const NAMESPACE = "team-a";
const WRONG = "ab".repeat(32);

let lab: Lab;
let owner: Owner;
let module: PinnedModule;
let places = 0;
let sets = 0;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
  owner = await Owner.create({ ns: NAMESPACE });
  module = await PinnedModule.create(pinOf([owner]));
  await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});
afterAll(async () => {
  await lab.stop();
  await module.remove();
});

function ending<T extends { stop(): Promise<void> }>(one: T): T {
  running.push(one);
  return one;
}

/** A workload with a WasmPlugin and a proxy of its own, which knows no module yet. */
class Place {
  readonly name: string;
  readonly proxied: Proxied;

  private constructor(name: string, proxied: Proxied) {
    this.name = name;
    this.proxied = proxied;
  }

  static async start(delta = false): Promise<Place> {
    const name = `app-${++places}`;
    const place = { namespace: NAMESPACE, name, labels: { app: name }, delta, pin: pinOf([owner]) };
    return new Place(name, ending(await Proxied.start({ lab, kind: "sidecar", ...place })));
  }

  async apply(address: ModuleAddress, path: string): Promise<void> {
    const bundles = [await owner.bundle({ policies: [allow(path)], ver: String(++sets) })];
    const place = { name: this.name, namespace: NAMESPACE, selector: { app: this.name } };
    await lab.apply(module.plugin({ ...place, ...address, bundles }));
  }

  async enforces(allowed: string, denied: string): Promise<void> {
    await this.proxied.workload.answers(allowed, 200);
    await this.proxied.workload.answers(denied, 403);
  }

  /** Waits for what the proxy says when it refuses a module. */
  async refuses(code: string, reason: RegExp): Promise<void> {
    let seen: unknown;
    await until({
      what: `a refusal with ${code}`,
      timeoutMs: 40_000,
      context: () => `the last one is ${JSON.stringify(seen)}`,
      probe: async () => {
        const last = await this.proxied.lastRefusal("ECDS");
        seen = last;
        return last?.code === code && reason.test(last.reason) ? true : undefined;
      },
    });
  }

  /** Of the VM that Envoy has for it. */
  async vm(): Promise<unknown> {
    const configs = await wasmConfigs(this.proxied.workload.envoy.admin);
    return member(configs.get(ecdsName(`${NAMESPACE}/${this.name}`)), "vm_config");
  }
}

async function publish(layout: Layout): Promise<ModuleSource> {
  return ending(await publishModule(layout, module, lab.programs));
}

describe.each([
  ["HTTP", false],
  ["OCI image", true],
] as const)("over %s (delta: %s)", (layout, delta) => {
  test("it is enforced, from a file that the proxy has fetched", async () => {
    const { address } = await publish(layout);
    const place = await Place.start(delta);
    await place.apply(address, "/1");
    await place.enforces("/1", "/2");
    const vm = await place.vm();
    const file = String(member(vm, "code", "local", "filename"));
    expect(await readFile(file)).toEqual(await readFile(module.path));
    expect(member(vm, "environment_variables")).toBeUndefined();
    await place.apply(address, "/2");
    await place.enforces("/2", "/1");
  });

  test("another digest closes what is new, and leaves the last verified one to who has it", async () => {
    const { address } = await publish(layout);
    const wrong = { url: address.url.replace(/@sha256:.*/, ":1"), sha256: WRONG };
    const place = await Place.start(delta);
    await place.apply(wrong, "/1");
    await place.refuses("DIGEST", new RegExp(`not ${WRONG}`));
    await place.proxied.workload.answers("/1", 403);
    await place.apply(address, "/1");
    await place.enforces("/1", "/2");
    await place.apply(wrong, "/1");
    await place.refuses("DIGEST", new RegExp(`not ${WRONG}`));
    await place.enforces("/1", "/2");
  });

  test("while nobody answers, what was fetched serves updates, and what is new is closed until somebody does", async () => {
    const source = await publish(layout);
    const place = await Place.start(delta);
    await place.apply(source.address, "/1");
    await place.enforces("/1", "/2");
    await source.stop();
    await place.apply(source.address, "/2");
    await place.enforces("/2", "/1");

    const replica = await Place.start(delta);
    await replica.apply(source.address, "/2");
    await replica.refuses("UNAVAILABLE", /ECONNREFUSED/);
    await replica.proxied.workload.answers("/2", 403);
    await source.resume();
    await until({
      what: "the replica being open",
      timeoutMs: 60_000,
      intervalMs: 1_000,
      context: () => replica.proxied.proxy.log.tail(4),
      probe: async () => {
        await replica.apply(source.address, "/2");
        return (await replica.proxied.workload.get("/2")) === 200 ? true : undefined;
      },
    });
    await replica.enforces("/2", "/1");
  });
});

test.each(["a part of it", "another one"] as const)("a server that gives %s is refused by name", async (what) => {
  const whole = await readFile(module.path);
  const content = what === "another one" ? Buffer.concat([whole, Buffer.of(0)]) : whole.subarray(0, -100);
  const server = createServer((_request, response) => {
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ending({ stop: () => closed(server) });
  const place = await Place.start();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/wpgate.wasm`;
  await place.apply({ url, sha256: module.sha256 }, "/1");
  await place.refuses("DIGEST", new RegExp(`not ${module.sha256}`));
  await place.proxied.workload.answers("/1", 403);
});

async function closed(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}
