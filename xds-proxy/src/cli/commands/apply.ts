/** `wpgate apply`: brings WasmPlugins into a cluster, after a look at what that changes. */
import { Command, Option } from "commander";
import { isRecord } from "../../bytes/record.ts";
import { ConfigError, ParseError, UpstreamError, VerifyError } from "../../errors.ts";
import { pluginChanges, type PluginChanges, type PluginState } from "../../kubernetes/plugin-changes.ts";
import { readPluginConfig } from "../../kubernetes/plugin-config.ts";
import { WasmPlugins, type LivePlugin } from "../../kubernetes/wasm-plugins.ts";
import type { NamespaceBundle } from "../../owner/bundle.ts";
import { olderThan, summarize, type BundleSummary, type StaleSummary } from "../../owner/bundle-summary.ts";
import { countingFresh, outerFreshFor } from "../../owner/outer-fresh.ts";
import { clusterOptions, openCluster, shownPlugin, type ClusterFlags } from "../cluster-options.ts";
import type { CliContext } from "../context.ts";
import { Hinted } from "../failure.ts";
import { example, jsonOption, outputOption } from "../options.ts";
import { changesLines } from "../plugin-changes-text.ts";
import { readPluginInputs, type PluginInput } from "../plugin-input.ts";
import { note, painter, printable, printJson, warn, type Style } from "../ui.ts";

interface Options extends ClusterFlags {
  readonly namespace?: string;
  readonly dryRun?: true;
  readonly forceConflicts?: true;
  readonly fieldManager: string;
  readonly allowOlder?: true;
  readonly output: "text" | "json";
}

/** How often it is tried again when others change the object at the same time. */
const TRIES = 5;

export function applyCommand(context: CliContext): Command {
  const [kubeconfig, kubeContext] = clusterOptions();
  const command = new Command("apply")
    .summary("bring a WasmPlugin into a cluster, and show what changes")
    .description(
      "Applies WasmPlugins of wpgate (YAML or JSON, - for stdin) server-side, and shows what that changes: policies\n" +
        "as wpgate diff does, module and settings as fields. What is older than what the cluster has is refused,\n" +
        "because consumers would refuse it; so are objects that carry no bundle. What an online signer (wpgate\n" +
        "fresh --plugin) keeps in the object stays as it is.",
    )
    .argument("[file...]", "WasmPlugin objects, as wpgate wasmplugin prints them; - for stdin", ["-"])
    .addOption(new Option("-n, --namespace <name>", "where objects go that do not say it (default: the context's)"))
    .addOption(new Option("--dry-run", "let the server check it, and change nothing"))
    .addOption(new Option("--force-conflicts", "take over fields that another manager owns"))
    .addOption(new Option("--field-manager <name>", "who owns what is applied").default("wpgate"))
    .addOption(new Option("--allow-older", "also what is older than what the cluster has"))
    .addOption(kubeconfig)
    .addOption(kubeContext)
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (paths: string[], options: Options) => {
      await applyAll(context, paths, options);
    });
  return example(command, "wpgate apply plugin.yaml --dry-run\nwpgate apply plugin.yaml");
}

interface Applied {
  readonly input: PluginInput;
  readonly result: "created" | "changed" | "unchanged";
  readonly changes: PluginChanges;
}

async function applyAll(context: CliContext, paths: readonly string[], options: Options): Promise<void> {
  const cluster = await openCluster(context, options);
  const plugins = new WasmPlugins(cluster);
  const inputs = await readPluginInputs(context, paths, options.namespace ?? cluster.place.namespace);
  // All are looked at before the first one is applied.
  const found: (LivePlugin | undefined)[] = [];
  for (const input of inputs) {
    const live = await plugins.get(input);
    const state = live && stateOf(live);
    refuseOlder(input, state, options);
    warnOfOther(context, input, state);
    warnOfFresh(context, input, state);
    found.push(live);
  }
  const applied: Applied[] = [];
  for (const [index, input] of inputs.entries())
    applied.push(await applyOne(context, plugins, { input, live: found[index] }, options));
  if (options.output === "json") printJson(context, { dryRun: options.dryRun === true, plugins: applied.map(jsonOf) });
  if (options.dryRun) note(context, "the server has checked it; nothing was changed");
}

interface Found {
  readonly input: PluginInput;
  readonly live: LivePlugin | undefined;
}

/** Shows what the server would make of it, then lets the server do so. The version that was looked at is locked, so that
 *  nothing newer is replaced unseen. */
async function applyOne(context: CliContext, plugins: WasmPlugins, found: Found, options: Options): Promise<Applied> {
  const { input } = found;
  const { fieldManager, forceConflicts = false } = options;
  let { live } = found;
  for (let tries = 1; ; tries++) {
    const before = live && stateOf(live);
    const object = locked(input.object, live);
    const applyIt = async (dryRun: boolean): Promise<LivePlugin> =>
      await plugins.apply(input, object, { fieldManager, force: forceConflicts, dryRun });
    try {
      const applied = appliedOf(input, before, await applyIt(true));
      if (options.output === "text") context.stdout(textOf(context, applied));
      if (!options.dryRun) await applyIt(false);
      return applied;
    } catch (error) {
      if (isAlone(input, error)) throw new Hinted(error, ALONE_HINT);
      if (tries === TRIES || !(error instanceof UpstreamError) || error.code !== "CHANGED") throw error;
      note(context, `somebody else changes ${shownPlugin(input)} at the same time: looking again`);
      live = await plugins.get(input);
      refuseOlder(input, live && stateOf(live), options);
    }
  }
}

const ALONE_HINT =
  "this is the owner's part alone: whoever has module and settings applies them first, as another --field-manager";

/** Istio refuses an object without a module. */
function isAlone({ object }: PluginInput, error: unknown): error is UpstreamError {
  const { spec } = object;
  return error instanceof UpstreamError && error.code === "DENIED" && isRecord(spec) && spec["url"] === undefined;
}

function appliedOf(input: PluginInput, before: PluginState | undefined, next: LivePlugin): Applied {
  const changes = pluginChanges(before, stateOf(next));
  const same = changes.fields.length + changes.namespaces.length === 0;
  return { input, changes, result: before === undefined ? "created" : same ? "unchanged" : "changed" };
}

function locked(object: PluginInput["object"], live: LivePlugin | undefined): Readonly<Record<string, unknown>> {
  if (live === undefined) return object;
  return { ...object, metadata: { ...(object["metadata"] as object), resourceVersion: live.resourceVersion } };
}

/** @throws VerifyError ROLLBACK: what consumers would say, said before it is sent to them */
function refuseOlder(input: PluginInput, live: PluginState | undefined, { allowOlder }: Options): void {
  for (const { ns, code, message } of staleParts(input, live)) {
    if (code !== "ROLLBACK" || allowOlder) continue;
    throw new Hinted(
      new VerifyError(code, message, { where: `${shownPlugin(input)}: ${ns}` }),
      "consumers that have seen the newer one refuse it; if that is not the owner's (wpgate status --pin), or to apply " +
        "this all the same, give --allow-older",
    );
  }
}

interface StalePart extends StaleSummary {
  readonly ns: string;
}

function staleParts(input: PluginInput, live: PluginState | undefined): readonly StalePart[] {
  const known = summariesOf(live?.config?.sets ?? []);
  return mergedSummaries(input, live).flatMap((next) => {
    const seen = known.find(({ ns }) => ns === next.ns);
    const why = seen && olderThan(seen, next);
    return why === undefined ? [] : [{ ns: next.ns, ...why }];
  });
}

/** Whoever changes what is there without the owner's key does not change its version: to put it right again is no fault. */
function warnOfOther(context: CliContext, input: PluginInput, live: PluginState | undefined): void {
  for (const { ns, code, message } of staleParts(input, live))
    if (code === "EQUIVOCATION")
      warn(
        context,
        `${printable(ns)}: ${message}: somebody has changed it, or the owner has signed two under one version`,
      );
}

/** As consumers will see it: what an online signer keeps in the object stays there, and may go on counting. */
function mergedSummaries({ config }: PluginInput, live: PluginState | undefined): readonly BundleSummary[] {
  const beside = live?.config?.fresh ?? new Map<string, string>();
  return summariesOf(
    config.sets.map((set) => {
      const outer = outerFreshFor(set.roots, beside);
      return outer === undefined ? set : { ...set, fresh: countingFresh(set.fresh, outer) };
    }),
  );
}

function warnOfFresh(context: CliContext, input: PluginInput, live: PluginState | undefined): void {
  for (const { ns, set, fresh } of mergedSummaries(input, live)) {
    const confirmed = fresh !== undefined && fresh.set.ver === set?.ver && fresh.expSec * 1000 > context.nowMs();
    if (!confirmed) warn(context, `nobody confirms this set of ${printable(ns)} at present: run wpgate fresh`);
  }
}

function stateOf({ object, namespace, name }: LivePlugin): PluginState {
  try {
    return { object, config: readPluginConfig(object, `${namespace}/${name}`) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What somebody has spoilt in the cluster can still be replaced.
    return { object, config: undefined };
  }
}

function summariesOf(sets: readonly NamespaceBundle[]): readonly BundleSummary[] {
  return sets.flatMap((set) => {
    try {
      return [summarize(set)];
    } catch (error) {
      if (error instanceof ParseError) return [];
      throw error;
    }
  });
}

const RESULTS: Readonly<Record<Applied["result"], Style>> = { created: "green", changed: "yellow", unchanged: "dim" };

function textOf(context: CliContext, { input, result, changes }: Applied): string {
  const paint = painter(context.colour.stdout);
  const title = `${paint("bold", printable(shownPlugin(input)))}  ${paint(RESULTS[result], result)}`;
  return [title, ...changesLines(changes, paint).map((line) => `  ${line}`)].map((line) => `${line}\n`).join("");
}

function jsonOf({ input, result, changes }: Applied): unknown {
  const { namespace, name } = input;
  return { namespace, name, result, ...changes };
}
