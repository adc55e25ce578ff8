/** `wpgate status`: what runs where, as the API server and the Envoys say. */
import { Command, Option } from "commander";
import { UpstreamError } from "../../errors.ts";
import { kubeconfigExists } from "../../kubernetes/kubeconfig.ts";
import { pluginCondition, pluginStatus, type PluginStatus } from "../../kubernetes/plugin-status.ts";
import { WasmPlugins } from "../../kubernetes/wasm-plugins.ts";
import { parsePin, type PinFile } from "../../owner/pin.ts";
import { DEFAULT_ROOT_NAMESPACE } from "../../config/schema.ts";
import { clusterOptions, openCluster, type ClusterFlags } from "../cluster-options.ts";
import type { CliContext } from "../context.ts";
import { readEnvoyStats } from "../envoy-stats.ts";
import { Exit, reportFailure, usageError } from "../failure.ts";
import { readTextInput } from "../files.ts";
import { enforcedBy } from "../in-step.ts";
import { loadExchangeKey } from "../key-files.ts";
import { isWell, readProxyStatus, type ProxyStatus } from "../proxy-status.ts";
import { proxyText } from "../proxy-status-text.ts";
import { collect, example, jsonOption, outputOption } from "../options.ts";
import { envoyText, pluginText, type EnvoyStatus } from "../status-text.ts";
import { note, painter, printJson } from "../ui.ts";

interface Options extends ClusterFlags {
  readonly namespace?: string;
  readonly allNamespaces?: true;
  readonly envoy?: readonly string[];
  readonly proxy?: readonly string[];
  readonly pin?: string;
  readonly recipient?: string;
  readonly output: "text" | "json";
}

const EXIT_UNKNOWN = 2;

export function statusCommand(context: CliContext): Command {
  const [kubeconfig, kubeContext] = clusterOptions();
  const command = new Command("status")
    .summary("show what runs where, and what will run out")
    .description(
      "Lists the WasmPlugins of wpgate in a cluster with their sets: versions, objects, how long they are fresh, what\n" +
        "runs out next. With --pin signatures are verified; without it all is as it claims to be. With --envoy it\n" +
        "also asks Envoys what the filter enforces, what it has refused, and whether that is what the API has;\n" +
        "with --proxy it asks wpgate proxies for their streams, versions, refusals. Both work without a cluster too.\n" +
        "Exit code 0: all is well; 1: something has run out, is refused, is not enforced or not there; 2: it could\n" +
        "not be found out. Warnings, such as that less than half of a lifetime is left, do not change it.",
    )
    .addOption(new Option("-n, --namespace <name>", "namespace of the plugins (default: the context's)"))
    .addOption(new Option("-A, --all-namespaces", "plugins of all namespaces").conflicts("namespace"))
    .addOption(
      new Option("--envoy <url>", "admin interface of an Envoy; can be repeated").argParser(adminOf("--envoy", 15_000)),
    )
    .addOption(
      new Option("--proxy <url>", "admin server of a wpgate proxy; can be repeated").argParser(
        adminOf("--proxy", 15_081),
      ),
    )
    .addOption(new Option("--pin <file>", "trust root: verify what is there"))
    .addOption(new Option("--recipient <file>", "private key for what is sealed"))
    .addOption(kubeconfig)
    .addOption(kubeContext)
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (options: Options) => {
      await show(context, options);
    });
  return example(command, "wpgate status --all-namespaces --pin pin.json");
}

async function show(context: CliContext, options: Options): Promise<void> {
  const found = await readAll(context, options).catch((error: unknown) => {
    reportFailure(error, context);
    throw new Exit(EXIT_UNKNOWN);
  });
  const { plugins, envoys, proxies, missing } = found;
  const notEnforced = envoys.some(
    ({ enforced }) => enforced.length === 0 || enforced.some(({ step }) => step !== "in step" && step !== "unknown"),
  );
  const bad =
    missing ||
    notEnforced ||
    proxies.some(({ answer }) => answer !== undefined && !isWell(answer)) ||
    plugins.some((plugin) => ["expired", "refused"].includes(pluginCondition(plugin)));
  const unknown = envoys.some(({ stats }) => stats === undefined) || proxies.some(({ answer }) => answer === undefined);
  if (options.output === "json")
    printJson(context, { ok: !bad && !unknown, plugins: plugins.map(jsonOf), envoys, proxies });
  else context.stdout(textOf(context, found));
  if (missing) note(context, "no WasmPlugin of wpgate is here; look everywhere with -A");
  if (options.pin === undefined && plugins.length > 0)
    note(context, "signatures were not checked; give --pin for that");
  if (unknown) throw new Exit(EXIT_UNKNOWN);
  if (bad) throw new Exit(1);
}

interface Found {
  readonly plugins: readonly PluginStatus[];
  readonly envoys: readonly EnvoyStatus[];
  readonly proxies: readonly ProxyStatus[];
  /** Whether the cluster was asked, and has none. */
  readonly missing: boolean;
}

async function readAll(context: CliContext, options: Options): Promise<Found> {
  const { pin: path, recipient, envoy = [], proxy = [] } = options;
  const pin = path === undefined ? undefined : parsePin(await readTextInput(context, path), path);
  const key = recipient === undefined ? undefined : await loadExchangeKey(context, recipient);
  const alone = envoy.length + proxy.length > 0 && !isClusterMeant(context, options);
  if (alone) {
    const asked = [...(envoy.length > 0 ? ["Envoy"] : []), ...(proxy.length > 0 ? ["the proxy"] : [])];
    note(
      context,
      `no cluster is configured: this is what ${asked.join(" and ")} say${asked.length === 1 ? "s" : ""} alone`,
    );
  }
  const live = alone ? [] : await readPlugins(context, options);
  const status = { nowMs: context.nowMs(), pin, recipient: key };
  const plugins = live.flatMap((plugin) => pluginStatus(plugin, status) ?? []);
  const envoys = await Promise.all(envoy.map((address) => envoyStatus(context, { address, plugins, pin })));
  const proxies = await Promise.all(proxy.map((address) => readProxyStatus(address, context.signal)));
  return { plugins, envoys, proxies, missing: !alone && plugins.length === 0 };
}

function isClusterMeant({ environment }: CliContext, options: Options): boolean {
  const named = [options.kubeconfig, options.context, options.namespace, options.allNamespaces];
  return named.some((option) => option !== undefined) || kubeconfigExists({ environment });
}

async function readPlugins(context: CliContext, options: Options): ReturnType<WasmPlugins["list"]> {
  const cluster = await openCluster(context, options);
  const namespace = options.allNamespaces ? undefined : (options.namespace ?? cluster.place.namespace);
  return await new WasmPlugins(cluster).list(namespace);
}

interface EnvoyOptions {
  readonly address: string;
  readonly plugins: readonly PluginStatus[];
  readonly pin: PinFile | undefined;
}

async function envoyStatus(context: CliContext, { address, plugins, pin }: EnvoyOptions): Promise<EnvoyStatus> {
  try {
    const stats = await readEnvoyStats(address, context.signal);
    const rootNamespace = pin === undefined || pin.rootNamespace === "" ? DEFAULT_ROOT_NAMESPACE : pin.rootNamespace;
    return { address, stats, enforced: enforcedBy(stats, plugins, rootNamespace) };
  } catch (error) {
    if (!(error instanceof UpstreamError) || context.signal.aborted) throw error;
    return { address, fault: error.message, enforced: [] };
  }
}

function textOf(context: CliContext, { plugins, envoys, proxies }: Found): string {
  const options = { paint: painter(context.colour.stdout), nowSec: Math.trunc(context.nowMs() / 1000) };
  return [
    ...plugins.map((plugin) => pluginText(plugin, options)),
    ...envoys.map((envoy) => envoyText(envoy, options)),
    ...proxies.map((proxy) => proxyText(proxy, options)),
  ].join("");
}

function jsonOf(plugin: PluginStatus): unknown {
  return { condition: pluginCondition(plugin), ...plugin };
}

/** `http://127.0.0.1:15000`; the scheme may be left out. */
function adminOf(option: string, port: number): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => {
    const address = /^https?:\/\//.test(text) ? text : `http://${text}`;
    if (!URL.canParse(address))
      throw usageError(option, `${text} is no address`, `give one such as http://127.0.0.1:${port}`);
    return collect(new URL(address).origin, before);
  };
}
