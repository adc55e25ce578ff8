/** `wpgate proxy`: ADS between istiod and Envoy, held to what the owner has signed. */
import { Command, InvalidArgumentError, Option } from "commander";
import { formatAddress, isLoopback, parseAddress, parseTcpAddress } from "../../config/addresses.ts";
import { LOG_LEVELS, PROXY_MODES, type ProxyConfig } from "../../config/proxy-config.ts";
import { loadProxyConfig, type ProxyFlags } from "../../config/proxy-load.ts";
import { printProxyConfig } from "../../config/proxy-print.ts";
import type { RunningProxy } from "../../proxy/running-proxy.ts";
import type { CliContext } from "../context.ts";
import { collect, example } from "../options.ts";
import { note, warn } from "../ui.ts";

interface Options extends ProxyFlags {
  readonly printConfig?: true;
}

export function proxyCommand(context: CliContext): Command {
  const command = new Command("proxy")
    .summary("run between istiod and Envoy, or between two proxies")
    .description(
      "Speaks ADS both ways. check: what istiod generates reaches Envoy only when it keeps the owner's signed Guard\n" +
        "and objects. unwrap: first verifies signed pushes. wrap: makes them, beside istiod. Runs until SIGTERM,\n" +
        "which ends streams in order; a second one ends it at once. docs/proxy.md explains every member of the file.",
    )
    .addOption(new Option("--config <file>", "configuration in YAML; the options below replace members of it"))
    .addOption(new Option("--mode <mode>", "what it does (default: check)").choices(PROXY_MODES))
    .addOption(new Option("--upstream <address>", "istiod or a proxy: host:port or unix:PATH").argParser(address))
    .addOption(new Option("--upstream-ca <file>", "TLS with these roots towards the upstream"))
    .addOption(new Option("--token <file>", "JSON Web Token for the upstream, read again for every stream"))
    .addOption(
      new Option("--listen <address>", "for Envoy: host:port or unix:PATH; can be repeated").argParser(addresses),
    )
    .addOption(new Option("--pin <file>", "trust root"))
    .addOption(new Option("--state <folder>", "what has to survive a restart"))
    .addOption(new Option("--admin <host:port>", "metrics, probes and debug pages, or none").argParser(adminAddress))
    .addOption(new Option("--log-level <level>", "least important lines to write").choices(LOG_LEVELS))
    .addOption(new Option("--print-config", "print what it would run with, and end"))
    .action(async (options: Options) => {
      const config = loadProxyConfig(options, context.cwd);
      if (options.printConfig) context.stdout(printProxyConfig(config));
      else await run(context, config);
    });
  return example(
    command,
    "wpgate proxy --upstream 127.0.0.1:15012 --pin pin.json --state state --listen unix:etc/istio/proxy/XDS --print-config",
  );
}

async function run(context: CliContext, config: ProxyConfig): Promise<void> {
  // Loaded on use: no other command should wait for gRPC and SQLite.
  const [{ startProxy }, { createLog }] = await Promise.all([import("../../proxy/app.ts"), import("../../log.ts")]);
  const log = createLog({
    ...{ level: config.log.level, write: context.stderr, readable: context.colour.stderr, nowMs: context.nowMs },
  });
  warnOfPlaintext(context, config);
  const proxy = await startProxy(config, { log, nowMs: context.nowMs, signal: context.signal });
  note(context, startupLine(config, proxy));
  await stopped(context.signal);
  note(context, `stopping; streams have ${config.drainSec} s to end`);
  await proxy.drain();
  note(context, "stopped");
}

function startupLine({ mode, upstream }: ProxyConfig, { addresses, adminUrl, pinned }: RunningProxy): string {
  return [
    `proxy in mode ${mode} listens on ${addresses.map(formatAddress).join(", ")}`,
    `upstream ${formatAddress(upstream.address)}`,
    pinned.length === 0 ? "nothing pinned" : `pinned ${pinned.join(", ")}`,
    adminUrl === undefined ? "no admin server" : `admin ${adminUrl}`,
  ].join("; ");
}

/** Whoever is on the way can read and change what is not encrypted; signed pushes may travel so, and say it. */
function warnOfPlaintext(context: CliContext, { mode, upstream, listen }: ProxyConfig): void {
  const open = ({ address, tls }: Pick<ProxyConfig["upstream"], "address"> & { readonly tls?: unknown }): boolean =>
    address.kind === "tcp" && tls === undefined && !isLoopback(address.host);
  if (open(upstream) && mode !== "unwrap")
    warn(
      context,
      `upstream ${formatAddress(upstream.address)} is plaintext: anybody on the way can change what it sends`,
    );
  for (const one of listen.filter(open))
    warn(context, `listens on ${formatAddress(one.address)} in plaintext: anybody on the way can read it`);
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
  });
}

function address(text: string): string {
  if (parseAddress(text) === undefined)
    throw new InvalidArgumentError("It must be host:port or unix:PATH, such as 127.0.0.1:15012.");
  return text;
}

function addresses(text: string, before?: readonly string[]): readonly string[] {
  return collect(address(text), before);
}

function adminAddress(text: string): string {
  if (text !== "none" && parseTcpAddress(text) === undefined)
    throw new InvalidArgumentError("It must be host:port such as 127.0.0.1:15081, or none.");
  return text;
}
