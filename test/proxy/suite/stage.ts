/**
 * Runs go-control-plane's suite once, inside the network that it was started in, and prints what came of it as JSON:
 * the suite with its control plane, the server behind Envoy, Envoy, and whatever stands between Envoy and control plane.
 * Its one argument is a `SuiteRun` as JSON.
 */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { startEnvoy } from "../../../xds-proxy/src/demo/envoy-process.ts";
import { GuardedProcess } from "../../../xds-proxy/src/demo/guarded-process.ts";
import { ProxyProcess } from "../harness/proxy-process.ts";
import type { SuiteResult, SuiteRun } from "./suite.ts";

/** Where the suite's control plane listens, and what its bootstraps say. */
const CONTROL_PLANE_PORT = 18_000;
const MESSAGE = "Hi, there!";

interface Bootstrap {
  readonly admin: { access_log_path: string };
  readonly node: { id: string; metadata?: object };
  readonly static_resources: { readonly clusters: readonly Cluster[] };
}

interface Cluster {
  readonly name: string;
  readonly load_assignment: {
    readonly endpoints: readonly {
      readonly lb_endpoints: readonly {
        readonly endpoint: { readonly address: { readonly socket_address: { port_value: number } } };
      }[];
    }[];
  };
}

async function main(run: SuiteRun): Promise<SuiteResult> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const start = async (file: string, ...args: readonly string[]): Promise<GuardedProcess> => {
      const child = new GuardedProcess({ file, args, folder: await mkdtemp(join(tmpdir(), "wpgate-suite-")) });
      stops.push(async () => child.stop());
      return child;
    };
    await start(run.programs.upstream, `-message=${MESSAGE}`);
    const runtimes = run.mode === "ads" ? 2 : 1;
    const options = [`--xds=${run.mode}`, `--runtimes=${runtimes}`, `--nodeID=${run.node.id}`, `-message=${MESSAGE}`];
    const suite = await start(run.programs.main, ...options, "-debug", ...run.flags);
    await suite.log.waitFor(/waiting for the first request/);
    for (const proxy of run.proxies) {
      const between = await ProxyProcess.start(proxy);
      stops.push(async () => between.stop());
    }
    const envoy = await startEnvoy({ binary: run.envoy, bootstrap: await bootstrapOf(run), drainTimeSec: 1 });
    stops.push(async () => envoy.stop());
    const end = await suite.ended;
    const stats = await envoy.admin.stats(
      "(lds|cds|rds|rtds|extension_config_discovery)\\..*update_(success|rejected)$",
    );
    return { end, log: suite.log.since(0), envoyLog: envoy.log.tail(20).split("\n"), stats: Object.fromEntries(stats) };
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The suite's own, which connects to the control plane or, where one is named, to another port in its place. */
async function bootstrapOf({ programs, mode, node, adsPort }: SuiteRun): Promise<Bootstrap> {
  const bootstrap = parse(await readFile(join(programs.bootstraps, `bootstrap-${mode}.yaml`), "utf8")) as Bootstrap;
  Object.assign(bootstrap.node, node);
  // One of them names /dev/stdout, which cannot be opened where it is a socket.
  bootstrap.admin.access_log_path = "/dev/null";
  for (const { load_assignment } of bootstrap.static_resources.clusters)
    for (const { endpoint } of load_assignment.endpoints.flatMap(({ lb_endpoints }) => lb_endpoints)) {
      const { socket_address } = endpoint.address;
      if (socket_address.port_value === CONTROL_PLANE_PORT) socket_address.port_value = adsPort ?? CONTROL_PLANE_PORT;
    }
  return bootstrap;
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? "{}") as SuiteRun)));
