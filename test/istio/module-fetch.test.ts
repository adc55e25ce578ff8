/**
 * The module over `http://` and `oci://`. istiod hands on the address; istio-agent fetches the module, compares its
 * digest, and gives Envoy a file. Envoy without it cannot.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import type { EnvoyAdmin } from "../../xds-proxy/src/demo/envoy-admin.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { MatchMode } from "../../xds-proxy/src/owner/wasm-plugin.ts";
import { ecdsName } from "../lab/delivery.ts";
import { IstioAgent } from "../lab/istio-agent.ts";
import { Lab, type LabWorkload } from "../lab/lab.ts";
import { publishModule, type Layout, type ModuleAddress, type ModuleSource } from "../lab/module-source.ts";
import { PinnedModule } from "../lab/plugin.ts";
import type { Workload } from "../lab/workload.ts";
import { newReader, Owner, pinOf, type Policy } from "../scenarios/owner.ts";

/** A fetch that fails is tried several times before anything reaches Envoy. */
const DEADLINE_MS = 60_000;
/** What istio-agent puts in the place of a filter whose module it cannot get says so; the filter's own body is empty. */
const DENY_ALL = [403, "RBAC: access denied"] as const;
const DENIED = [403, ""] as const;
const CREATED = "wasm.envoy.wasm.runtime.v8.created";

let lab: Lab;
let owner: Owner;
let module: PinnedModule;
let places = 0;
let sets = 0;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  lab = await Lab.start();
  owner = await Owner.create({ ns: "team-a" });
  module = await PinnedModule.create(pinOf([owner]));
});
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.stop();
});
afterAll(async () => {
  await lab.stop();
  await module.remove();
});

test.each([
  ["HTTP", "sidecar", false],
  ["Docker image", "sidecar", true],
  ["OCI image", "gateway", false],
  ["OCI artifact", "gateway", true],
] as const)("over %s it is enforced on a %s (delta: %s)", async (layout, kind, delta) => {
  const source = await publish(layout);
  const place = await startPlace({ kind, delta, agent: await startAgent() });
  await place.apply(source.address, await bundle(allow("/1")));
  await place.enforces("/1", "/2");
  await place.apply(source.address, await bundle(allow("/2")));
  await place.enforces("/2", "/1");
});

describe.each(["HTTP", "OCI image"] as const)("over %s", (layout) => {
  test("another digest closes, also after a good one, and the right one opens again", async () => {
    const { address } = await publish(layout);
    const agent = await startAgent();
    const place = await startPlace({ agent });
    const wrong = { url: address.url.replace(/@sha256:.*/, ":1"), sha256: "ab".repeat(32) };
    for (const when of ["first", "after a good one"]) {
      await place.apply(wrong, await bundle(allow("/1")));
      await place.becomes("/1", DENY_ALL);
      expect(agent.log.tail(20), when).toContain(`which does not match: ${wrong.sha256}`);
      await place.apply(address, await bundle(allow("/1")));
      await place.enforces("/1", "/2");
    }
  });

  test("while nobody answers, the agent's copy serves updates, and a new agent is closed until the next push", async () => {
    const source = await publish(layout);
    const place = await startPlace({ agent: await startAgent() });
    await place.apply(source.address, await bundle(allow("/1")));
    await place.enforces("/1", "/2");
    await source.stop();
    await place.apply(source.address, await bundle(allow("/2")));
    await place.enforces("/2", "/1");

    const replica = await startPlace({ agent: await startAgent() });
    await replica.apply(source.address, await bundle(allow("/2")));
    await replica.becomes("/2", DENY_ALL);
    await source.resume();
    await replica.annotate();
    await replica.enforces("/2", "/1");
  });

  test("without istio-agent Envoy is closed", async () => {
    const { address } = await publish(layout);
    const place = await startPlace({});
    await place.apply(address, await bundle(allow("/1")));
    await place.becomes("/1", [503, ""]);
    expect(await place.admin.stat("wasm.wasm_vm_count")).toBe(0);
  });
});

test("with istio-agent an annotation changes nothing in Envoy, without it it replaces every virtual machine", async () => {
  const { address } = await publish("OCI image");
  const local = { url: `file://${module.path}`, sha256: module.sha256 };
  /** Virtual machines that are made for an annotation and an update after it. */
  const made = async (place: Place, where: ModuleAddress): Promise<number> => {
    await place.apply(where, await bundle(allow("/1")));
    await place.enforces("/1", "/2");
    const before = await place.admin.stat(CREATED);
    await place.annotate();
    await place.apply(where, await bundle(allow("/2")));
    await place.enforces("/2", "/1");
    return (await place.admin.stat(CREATED)) - before;
  };
  // The canary that tries the update.
  expect(await made(await startPlace({ agent: await startAgent() }), address)).toBe(1);
  // And for each of the two at least another canary, the main thread's, the worker's.
  expect(await made(await startPlace({}), local)).toBeGreaterThanOrEqual(6);
});

test("a sealed policy is read with the key from the environment of the proxy", async () => {
  const { address } = await publish("OCI image");
  const reader = newReader();
  const key = encodeBase64Url(concat(reader.key.exportRaw(), reader.auth));
  const environment = { WPGATE_RECIPIENT: key };
  const place = await startPlace({ agent: await startAgent(), environment });
  await place.apply(address, await bundle({ ...allow("/1"), readers: [reader.public] }));
  await place.enforces("/1", "/2");
  // Nothing else could have opened it.
  const stranger = await startPlace({ agent: await startAgent() });
  await stranger.apply(address, await bundle({ ...allow("/1"), readers: [reader.public] }));
  await stranger.becomes("/1", [500, ""]);
});

/** One proxy with a WasmPlugin of its own. */
class Place {
  readonly admin: EnvoyAdmin;
  readonly #name: string;
  readonly #mode: MatchMode;
  readonly #workload: Workload;
  #plugin: Readonly<Record<string, unknown>> = {};

  constructor(name: string, mode: MatchMode, workload: Workload) {
    this.#name = name;
    this.#mode = mode;
    this.#workload = workload;
    this.admin = workload.envoy.admin;
  }

  async apply(address: ModuleAddress, bundle: NamespaceBundle): Promise<void> {
    const place = { name: this.#name, namespace: "team-a", selector: { app: this.#name }, mode: this.#mode };
    this.#plugin = module.plugin({ ...place, ...address, bundles: [bundle] });
    await lab.apply(this.#plugin);
  }

  /** Changes nothing but the object's `resourceVersion`, and waits until Envoy has got something again. */
  async annotate(): Promise<void> {
    const updates = `extension_config_discovery.http_filter.${ecdsName(`team-a/${this.#name}`)}.update_success`;
    const before = await this.admin.stat(updates);
    const metadata = { name: this.#name, namespace: "team-a", annotations: { touched: String(before) } };
    await lab.apply({ ...this.#plugin, metadata });
    await until({
      what: `Envoy having got ${this.#name} again`,
      timeoutMs: DEADLINE_MS,
      probe: async () => ((await this.admin.stat(updates)) > before ? true : undefined),
    });
  }

  /** Status and body; status 0 while a listener makes room for its successor. */
  async get(path: string): Promise<readonly [number, string]> {
    return await this.#workload.send({ path }).then(
      ({ status, body }) => [status, body],
      () => [0, ""],
    );
  }

  /** Waits until the filter refuses the one path and lets the other pass. */
  async enforces(allowed: string, denied: string): Promise<void> {
    await this.becomes(denied, DENIED);
    await this.#workload.answers(allowed, 200, DEADLINE_MS);
  }

  /** Waits until a GET is answered with this status and body. */
  async becomes(path: string, answer: readonly [number, string]): Promise<void> {
    let seen = "";
    await until({
      what: `${path} answered with ${answer.join(" ")}`,
      timeoutMs: DEADLINE_MS,
      intervalMs: 20,
      context: () => `it is ${seen}; Envoy's log ends with:\n${this.#workload.envoy.log.tail(5)}`,
      probe: async () => ((seen = (await this.get(path)).join(" ")) === answer.join(" ") ? true : undefined),
    });
  }
}

interface PlaceOptions extends Pick<LabWorkload, "delta" | "environment"> {
  readonly kind?: "sidecar" | "gateway";
  readonly agent?: IstioAgent;
}

async function startPlace({ kind = "sidecar", agent, ...options }: PlaceOptions): Promise<Place> {
  const name = `app-${++places}`;
  const start = kind === "sidecar" ? lab.startSidecar.bind(lab) : lab.startGateway.bind(lab);
  const ads = agent && { ads: agent.socket };
  const workload = await start({ namespace: "team-a", name, labels: { app: name }, ...ads, ...options });
  running.push(workload);
  await workload.answers("/", 200, DEADLINE_MS);
  return new Place(name, kind === "sidecar" ? "SERVER" : "CLIENT", workload);
}

async function startAgent(): Promise<IstioAgent> {
  const agent = await IstioAgent.start({
    ...{ file: lab.programs.istioAgent, ads: lab.istiod.adsPort, namespace: "team-a" },
  });
  running.push(agent);
  return agent;
}

async function publish(layout: Layout): Promise<ModuleSource> {
  const source = await publishModule(layout, module, lab.programs);
  running.push(source);
  return source;
}

/** The next set of the namespace. */
async function bundle(policy: Policy): Promise<NamespaceBundle> {
  return await owner.bundle({ policies: [policy], ver: String(++sets) });
}

function allow(path: string): Policy {
  return { name: "allow", spec: { rules: [{ to: [{ operation: { paths: [path] } }] }] } };
}
