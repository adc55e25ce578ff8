/**
 * The main job through a real API server and a real istiod: owners of namespaces sign on the command line, kubectl applies
 * what it prints, istiod translates it, and Envoy, as a sidecar and as a gateway, by the state of the world and by
 * increments, decides requests as the owners say.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { send } from "../../xds-proxy/src/demo/http-request.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Cli } from "../cli/harness.ts";
import { ecdsName, member, wasmConfigs } from "../lab/delivery.ts";
import { freePort } from "../lab/free-port.ts";
import { Lab } from "../lab/lab.ts";
import type { Workload } from "../lab/workload.ts";

const MESH_WIDE = "istio-system";
const KINDS = [
  { kind: "sidecar", protocol: "state of the world", namespace: "team-a", mode: "SERVER", delta: false },
  { kind: "sidecar", protocol: "delta", namespace: "team-b", mode: "SERVER", delta: true },
  { kind: "gateway", protocol: "state of the world", namespace: "team-c", mode: "CLIENT", delta: false },
  { kind: "gateway", protocol: "delta", namespace: "team-d", mode: "CLIENT", delta: true },
] as const;
/** Of a sidecar that also sends. */
const SENDER = "team-e";
const OWNERS = [...KINDS.map(({ namespace }) => namespace), SENDER, MESH_WIDE];

const cli = new Cli();
let lab: Lab;
let sha256 = "";

beforeAll(async () => {
  for (const namespace of OWNERS) {
    const names = ["--namespace", namespace, "--mesh", "prod", "--contact", `mailto:${namespace}@example.com`];
    await wpgate("root", "init", "-C", namespace, ...names);
  }
  cli.write("pin.json", await wpgate("root", "pin", ...OWNERS.map((namespace) => `${namespace}/pin.json`)));
  sha256 = (await wpgate("filter", "pin", "--pin", "pin.json", "--out", "wpgate.wasm")).trim();
  cli.write("deny-admin.yaml", policy("deny-admin", { action: "DENY", paths: ["/admin*"] }));
  await wpgate("sign", "-C", MESH_WIDE, "deny-admin.yaml");
  lab = await Lab.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
});
afterAll(async () => {
  await lab.stop();
  cli.remove();
});

/** The command line, at the time that it is. */
async function wpgate(...argv: readonly string[]): Promise<string> {
  cli.nowMs = Date.now();
  return await cli.good(...argv);
}

/** `wpgate wasmplugin … | kubectl apply --server-side -f -` */
async function applyPlugin(namespace: string, ...more: readonly string[]): Promise<void> {
  const bundles = [`${namespace}/bundle.json`, `${MESH_WIDE}/bundle.json`];
  const module = ["--url", `file://${cli.path("wpgate.wasm")}`, "--sha256", sha256];
  const stdin = await wpgate("wasmplugin", ...bundles, ...module, "--namespace", namespace, ...more);
  await lab.kubectl(["apply", "--server-side", "-f", "-"], { stdin });
}

describe.each(KINDS)("$kind, $protocol", ({ kind, namespace, mode, delta }) => {
  let workload: Workload;

  beforeAll(async () => {
    await wpgate("keygen", "--recipient", `${namespace}/recipients/shop.pem`);
    const variable = await wpgate("filter", "env", `${namespace}/recipients/shop.pem`);
    const [name = "", value = ""] = variable.trim().split("=");
    const place = { namespace, name: "shop", labels: { app: "shop" }, delta, environment: { [name]: value } };
    workload = await (kind === "sidecar" ? lab.startSidecar(place) : lab.startGateway(place));
    await workload.answers("/orders/1", 200);
  });

  async function apply(...more: readonly string[]): Promise<void> {
    await applyPlugin(namespace, "--mode", mode, ...more);
  }

  /** The first one should differ from before. */
  async function expectAnswers(answers: Readonly<Record<string, number>>): Promise<void> {
    for (const [path, status] of Object.entries(answers)) await workload.answers(path, status);
  }

  function write(name: string, spec: PolicySpec): string {
    cli.write(`${namespace}-${name}.yaml`, policy(name, spec));
    return `${namespace}-${name}.yaml`;
  }

  test("what is signed, what is sealed and what the root namespace's owner says is enforced", async () => {
    const orders = write("allow-orders", { paths: ["/orders*", "/admin"], app: "shop" });
    const internal = write("deny-internal", { action: "DENY", paths: ["/orders/internal*"], app: "shop" });
    await wpgate("sign", "-C", namespace, orders, "--seal", internal);
    await apply();
    await expectAnswers({ "/customers": 403, "/orders/internal/costs": 403, "/admin": 403, "/orders/1": 200 });
  });

  test("istiod makes of it what the filter needs, and nothing else", async () => {
    const name = ecdsName(`${namespace}/wpgate`);
    // While listeners are replaced, Envoy's dump may leave extension configurations out.
    const config = await until({
      what: `Envoy showing ${name} alone`,
      probe: async () => {
        const configs = await wasmConfigs(workload.envoy.admin);
        return configs.size === 1 ? configs.get(name) : undefined;
      },
    });
    expect(config).toMatchObject({
      failure_policy: "FAIL_RELOAD",
      vm_config: {
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { filename: cli.path("wpgate.wasm") } },
        environment_variables: { host_env_keys: ["WPGATE_RECIPIENT"] },
      },
    });
    const bundle = (owner: string): unknown => JSON.parse(cli.read(`${owner}/bundle.json`));
    expect(JSON.parse(member(config, "configuration", "value") as string)).toEqual({
      wpgate: 1,
      sets: [namespace, MESH_WIDE].flatMap((owner) => member(bundle(owner), "sets")),
    });
    const chains = await httpFilters(workload);
    expect(chains.length).toBeGreaterThan(0);
    for (const chain of chains) expect([chain[0], chain.at(-1)]).toEqual([name, "envoy.filters.http.router"]);
  });

  test("a changed policy takes effect", async () => {
    await wpgate("sign", "-C", namespace, write("allow-orders", { paths: ["/customers*"], app: "shop" }));
    await apply();
    await expectAnswers({ "/customers": 200, "/orders/1": 403, "/admin": 403 });
  });

  test("a policy that is removed does so, too, and a policy for other workloads is none", async () => {
    const others = write("allow-others", { paths: ["/orders*"], app: "other" });
    const all = write("allow-health", { paths: ["/health"] });
    await wpgate("sign", "-C", namespace, others, all, "--prune");
    await apply();
    await expectAnswers({ "/health": 200, "/customers": 403, "/orders/1": 403 });
  });

  test("the owner of the root namespace speaks for every namespace", async () => {
    cli.write("deny-health.yaml", policy("deny-health", { action: "DENY", paths: ["/health"] }));
    await wpgate("sign", "-C", MESH_WIDE, "deny-health.yaml");
    await apply();
    await expectAnswers({ "/health": 403 });
    await wpgate("set", "-C", MESH_WIDE, "--remove", "AuthorizationPolicy/deny-health");
    await apply();
    await expectAnswers({ "/health": 200, "/admin": 403 });
  });

  test("the plugin's own selector leaves other workloads of the namespace alone", async () => {
    await apply("--selector", "app=other");
    await expectAnswers({ "/customers": 200 });
    expect((await httpFilters(workload)).flat()).not.toContain(ecdsName(`${namespace}/wpgate`));
    await apply("--selector", "app=shop");
    await expectAnswers({ "/customers": 403, "/health": 200 });
  });
});

test("a plugin for sidecars judges what comes in, not what the workload sends", async () => {
  const workload = await lab.startSidecar({ namespace: SENDER, name: "shop", labels: { app: "shop" } });
  const outbound = { host: workload.address, port: await freePort(workload.address) };
  await lab.apply(...peerOf(workload, outbound.port));
  const outgoing = async (): Promise<number> =>
    await send({ ...outbound, path: "/any", headers: [["host", PEER]] }).then(
      ({ status }) => status,
      () => 0,
    );
  await until({
    what: "a way out",
    timeoutMs: 20_000,
    probe: async () => ((await outgoing()) === 200 ? true : undefined),
  });
  cli.write("nothing.yaml", policy("nothing", { paths: ["/nothing"] }));
  await wpgate("sign", "-C", SENDER, "nothing.yaml");
  await applyPlugin(SENDER);
  await workload.answers("/any", 403);
  expect(await outgoing()).toBe(200);
  await applyPlugin(SENDER, "--mode", "CLIENT");
  await workload.answers("/any", 200);
  await until({
    what: "a judge",
    timeoutMs: 20_000,
    probe: async () => ((await outgoing()) === 403 ? true : undefined),
  });
});

const PEER = "peer.example";

/** A service that the workload sends to, which is its own application, and the listener through which it does. */
function peerOf({ address, port, app }: Workload, outboundPort: number): readonly unknown[] {
  const ports = [{ number: outboundPort, name: "http", protocol: "HTTP" }];
  const endpoints = [{ address: "127.0.0.1", ports: { http: app.port } }];
  const apiVersion = "networking.istio.io/v1";
  const metadata = { name: "shop", namespace: SENDER };
  return [
    {
      ...{ apiVersion, kind: "ServiceEntry", metadata },
      spec: { hosts: [PEER], location: "MESH_INTERNAL", resolution: "STATIC", ports, endpoints },
    },
    {
      ...{ apiVersion, kind: "Sidecar", metadata },
      spec: {
        workloadSelector: { labels: { app: "shop" } },
        ingress: [
          {
            port: { number: port, name: "http", protocol: "HTTP" },
            ...{ bind: address, captureMode: "NONE", defaultEndpoint: `127.0.0.1:${app.port}` },
          },
        ],
        egress: [{ port: ports[0], bind: address, captureMode: "NONE", hosts: [`${SENDER}/${PEER}`] }],
      },
    },
  ];
}

interface PolicySpec {
  readonly action?: string;
  readonly paths: readonly string[];
  /** For workloads with this label; all when absent. */
  readonly app?: string;
}

/** YAML: JSON is YAML. */
function policy(name: string, { action = "ALLOW", paths, app }: PolicySpec): string {
  const rules = [{ to: [{ operation: { paths } }] }];
  const selector = app === undefined ? {} : { selector: { matchLabels: { app } } };
  const object = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name } };
  return JSON.stringify({ ...object, spec: { ...selector, action, rules } });
}

/** The names of the HTTP filters of each listener that serves. */
async function httpFilters(workload: Workload): Promise<readonly (readonly string[])[]> {
  const dump = await workload.envoy.admin.configDump("dynamic_listeners");
  const listeners = member(dump, "configs") as readonly unknown[];
  const chains = listeners.flatMap(
    (listener) => member(listener, "active_state", "listener", "filter_chains") as readonly unknown[],
  );
  return chains.map((chain) => {
    const [manager] = member(chain, "filters") as readonly unknown[];
    const filters = member(manager, "typed_config", "http_filters") as readonly unknown[];
    return filters.map((filter) => String(member(filter, "name")));
  });
}
