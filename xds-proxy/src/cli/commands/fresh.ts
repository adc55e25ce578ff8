/** `wpgate fresh`: confirms that the set in the bundle is the current one, once or for as long as it runs. */
import { spawn } from "node:child_process";
import { Command, InvalidArgumentError, Option } from "commander";
import { formatDurationSec } from "../../config/duration.ts";
import { ConfigError, UpstreamError } from "../../errors.ts";
import { encodeBundle } from "../../owner/bundle.ts";
import { WasmPlugins } from "../../kubernetes/wasm-plugins.ts";
import { signFresh } from "../../owner/publish.ts";
import { clusterOptions, openCluster, pluginName, type ClusterFlags } from "../cluster-options.ts";
import type { CliContext } from "../context.ts";
import { refuseExpiredRoot, warnOfExpiry } from "../expiry.ts";
import { Hinted, reportFailure, usageError } from "../failure.ts";
import {
  dirOption,
  durationSec,
  example,
  outputOption,
  SIGNER_HELP,
  signerOptions,
  type SignerOptions,
} from "../options.ts";
import { openOwnerFolder, readBundle, readOwnPublished, withLock, writeBundle } from "../owner-folder.ts";
import { OnlineSigner } from "../online-signer.ts";
import { pause } from "../pause.ts";
import { SignerHealth } from "../signer-health.ts";
import { startSignerServer } from "../signer-server.ts";
import { noteRenewal, watchPlugin } from "../signer-watch.ts";
import { checkSigners, freshSignersFor, signersFor } from "../signers.ts";
import { note } from "../ui.ts";

interface Options extends SignerOptions {
  readonly dir: string;
  readonly for?: number;
  readonly watch?: true;
  readonly then?: string;
  readonly output: "text" | "bundle";
}

interface PluginOptions extends Options, ClusterFlags {
  readonly plugin: string;
  readonly poll?: number;
  readonly listen?: Listen;
  readonly state?: string;
}

interface Listen {
  /** All addresses, when absent. */
  readonly host?: string;
  readonly port: number;
}

/** A renewal that failed is tried again after this part of the lifetime: there is time for nine more. */
const RETRY_PART = 20;

/** How often the object is looked at: a set that somebody has applied waits for its confirmation no longer than this. */
const POLL_SEC = 10;

export function freshCommand(context: CliContext): Command {
  const [signer, publicKey] = signerOptions("fresh");
  const [kubeconfig, kubeContext] = clusterOptions();
  const command = new Command("fresh")
    .summary("confirm that the set is the current one")
    .description(
      "Signs a short-lived statement that this set is the current one, and saves it in bundle.json. Without\n" +
        "it consumers stop to believe a set, so that nobody can keep an old one alive. The key for it may be\n" +
        "online: it can neither add nor drop an object. With --watch it is renewed at half of its life.\n" +
        "With --plugin the set is in a WasmPlugin of a cluster, and only its field pluginConfig.fresh is written:\n" +
        "the folder needs wpgate.yaml, pin.json and the key, and may be read-only. A set that the cfg keys did not\n" +
        "sign, or that is older than one that was seen, is refused by name.",
    )
    .addOption(dirOption())
    .addOption(signer)
    .addOption(publicKey)
    .addOption(new Option("--for <time>", "how long it holds (default: the root's maximum)").argParser(durationSec))
    .option("--watch", "run on and renew it at half of its life; ends with Ctrl-C or SIGTERM")
    .option("--then <command>", "shell command after each renewal, such as one that applies the WasmPlugin")
    .addOption(outputOption(["text", "bundle"]))
    .addOption(
      new Option("--plugin <[namespace/]name>", "keep the set of this WasmPlugin fresh").conflicts(["then", "output"]),
    )
    .addOption(new Option("--poll <time>", "how often to look at the plugin (default: 10s)").argParser(durationSec))
    .addOption(new Option("--listen <host:port>", "serve /metrics, /healthz and /readyz").argParser(listenAddress))
    .addOption(new Option("--state <file>", "remember over restarts what was seen, to refuse what is older"))
    .addOption(kubeconfig)
    .addOption(kubeContext)
    .action(async (options: Options | PluginOptions) => {
      if (isForPlugin(options)) {
        await keepPluginFresh(context, options);
        return;
      }
      const lifetimeSec = await renew(context, options);
      if (options.watch) await watch(context, options, lifetimeSec);
    });
  return example(command, "wpgate fresh -C team-a", SIGNER_HELP);
}

/** @throws ConfigError for options that mean nothing in the other mode */
function isForPlugin(options: Options | PluginOptions): options is PluginOptions {
  const given = options as Partial<PluginOptions>;
  const wanting = (["poll", "listen"] as const).find((name) => given[name] !== undefined && !given.watch);
  if (given.plugin !== undefined && wanting !== undefined)
    throw usageError(`--${wanting}`, "is of use with --watch only", "add --watch");
  if (given.plugin !== undefined) return true;
  const names = ["poll", "listen", "state", "kubeconfig", "context"] as const;
  const alone = names.find((name) => given[name] !== undefined);
  if (alone !== undefined) throw usageError(`--${alone}`, "is of use with --plugin only", "add --plugin NAME");
  return false;
}

async function keepPluginFresh(context: CliContext, options: PluginOptions): Promise<void> {
  const plugins = new WasmPlugins(await openCluster(context, options));
  const plugin = pluginName(options.plugin, openOwnerFolder(context, options.dir).config.namespace);
  const signer = await OnlineSigner.open(context, plugins, { ...options, plugin });
  if (!options.watch) {
    noteRenewal(context, await signer.attempt({ inAnyCase: true }));
    return;
  }
  const health = new SignerHealth();
  const labels = { plugin: plugin.name, plugin_namespace: plugin.namespace };
  const server =
    options.listen && (await startSignerServer({ ...options.listen, health, nowMs: context.nowMs, labels }));
  if (server !== undefined) note(context, `serving ${server.url}/metrics, /healthz and /readyz`);
  try {
    await watchPlugin(context, { signer, health, pollSec: options.poll ?? POLL_SEC });
  } finally {
    await server?.close();
  }
}

/** `127.0.0.1:9464`, `[::1]:9464`, `:9464` for all addresses. */
function listenAddress(text: string): Listen {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:]*)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3] ?? NaN);
  if (!(port <= 65_535)) throw new InvalidArgumentError("It must be an address and a port such as 127.0.0.1:9464.");
  return { ...(host !== "" && { host }), port };
}

/** @returns how long it holds, seconds */
async function renew(context: CliContext, options: Options): Promise<number> {
  const folder = openOwnerFolder(context, options.dir);
  const { bundle, lifetimeSec, ver } = await withLock(context, folder.path, async () => {
    const published = readOwnPublished(folder);
    refuseExpiredRoot(context, published);
    warnOfExpiry(context, published);
    const { root, set } = published;
    if (set === undefined) throw usageError("set", "there is none under the current root", "make one with wpgate sign");
    const signers = await signersOf(context, options);
    checkSigners(signers, "fresh", root.document);
    const { namespace: ns, mesh, trustDomain, contact, lifetimeSec: lifetimes } = folder.config;
    const { ep, maxFreshSec } = root.document;
    const freshSec = Math.min(options.for ?? maxFreshSec, maxFreshSec);
    const identity = { ...{ ns, mesh, trustDomain, ep }, sub: contact, lifetimeSec: lifetimes.cfg, freshSec };
    const fresh = await signFresh({ identity, nowMs: context.nowMs(), set, freshSigners: signers });
    const next = { ...readBundle(folder), fresh };
    writeBundle(folder, next);
    return { bundle: next, lifetimeSec: freshSec, ver: set.ver };
  });
  if (options.output === "bundle") context.stdout(`${encodeBundle([bundle])}\n`);
  note(context, `set ${ver} is fresh for ${formatDurationSec(lifetimeSec)}`);
  if (options.then !== undefined) await runThen(context, options.then);
  return lifetimeSec;
}

async function signersOf(context: CliContext, options: Options): ReturnType<typeof signersFor> {
  const folder = openOwnerFolder(context, options.dir);
  if (options.signer !== undefined) return await signersFor(context, folder, "fresh", options);
  return await freshSignersFor(context, folder, () => signersFor(context, folder, "cfg"));
}

/** Goes on whatever happens: what was signed before still holds for half of its life. */
async function watch(context: CliContext, options: Options, firstLifetimeSec: number): Promise<void> {
  let lifetimeSec = firstLifetimeSec;
  let waitSec = lifetimeSec / 2;
  while (await pause(waitSec, context.signal)) {
    try {
      lifetimeSec = await renew(context, options);
      waitSec = lifetimeSec / 2;
    } catch (error) {
      if (context.signal.aborted) break;
      reportFailure(error, context);
      waitSec = lifetimeSec / RETRY_PART;
      note(context, `trying again in ${formatDurationSec(waitSec)}`);
    }
  }
  note(context, "stopped; nothing renews the set any more");
}

async function runThen(context: CliContext, command: string): Promise<void> {
  const child = spawn("/bin/sh", ["-c", command], {
    ...{ cwd: context.cwd, env: context.environment, signal: context.signal },
    stdio: ["ignore", "inherit", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.on("error", (cause) => {
      reject(new ConfigError([{ path: "--then", message: "cannot be run" }], { cause }));
    });
    child.on("close", (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Hinted(
            new UpstreamError("UNAVAILABLE", `the command after the renewal ended with ${code ?? "a signal"}`),
            "the new fresh statement is in bundle.json, but was not handed on",
          ),
        );
    });
  });
}
