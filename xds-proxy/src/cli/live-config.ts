/** What an Envoy runs with, and which Guards are its: the inputs of `wpgate guard` and `wpgate doctor`. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseYaml } from "../bytes/yaml.ts";
import { ConfigError, VerifyError } from "../errors.ts";
import { appliesTo, parseGuard } from "../guard/check.ts";
import { readConfigDump, type LiveConfig } from "../guard/config-dump.ts";
import type { ExtensionOptions } from "../guard/extension.ts";
import type { Guard } from "../guard/types.ts";
import { isGuard } from "../owner/content.ts";
import { readObjects } from "../owner/objects.ts";
import { parsePin } from "../owner/pin.ts";
import { verifyBundle } from "../owner/verify-bundle.ts";
import { isRecord } from "../bytes/record.ts";
import { readBundleInput } from "./bundle-input.ts";
import type { CliContext } from "./context.ts";
import { usageError } from "./failure.ts";
import { readTextInput } from "./files.ts";
import { getJson } from "./get-json.ts";
import { warn } from "./ui.ts";

/** @param address - of the admin interface. @throws UpstreamError */
export async function readLiveConfig(context: CliContext, address: string): Promise<LiveConfig> {
  const dump = await getJson(new URL("/config_dump?include_eds", address), {
    who: "Envoy",
    hint: "this must be its admin interface, port 15000 beside istio-proxy",
    signal: context.signal,
  });
  const config = readConfigDump(dump);
  for (const what of config.unreadable) warn(context, `could not read ${what}`);
  return config;
}

/** Where Envoy got the module as a file, that file says which module it is, as long as it is on this machine. */
export const LOCAL_MODULES: ExtensionOptions = {
  sha256OfFile: (filename) => {
    try {
      return createHash("sha256").update(readFileSync(filename)).digest("hex");
    } catch {
      return undefined;
    }
  },
};

export interface GuardFlags {
  readonly guard?: readonly string[];
  readonly bundle?: string;
  readonly pin?: string;
}

/** Those of the workload, by its labels. Undefined when none was given. */
export async function readGuards(
  context: CliContext,
  flags: GuardFlags,
  labels: LiveConfig["labels"],
): Promise<readonly Guard[] | undefined> {
  if (flags.bundle === undefined && flags.guard === undefined) return undefined;
  if (flags.bundle !== undefined && flags.pin === undefined)
    throw usageError("--bundle", "needs --pin", "a bundle is worth what the pin says of its signers");
  const written = await Promise.all((flags.guard ?? []).map((path) => guardsInFile(context, path)));
  const signed = flags.bundle === undefined ? [] : await guardsInBundle(context, flags.bundle, flags.pin ?? "");
  return [...written.flat(), ...signed].filter((guard) => appliesTo(guard, labels));
}

/** As its owner writes it, not signed. */
async function guardsInFile(context: CliContext, path: string): Promise<readonly Guard[]> {
  const text = await readTextInput(context, path);
  const objects = readObjects([{ name: path, text }], namespaceIn(text));
  const guards = objects.filter(({ rt }) => isGuard(rt)).map(({ data }) => guardOf(data));
  if (guards.length === 0) throw new ConfigError([{ path, message: "has no Guard" }]);
  return guards;
}

function namespaceIn(text: string): string {
  const [document] = parseYaml(text);
  const value = document !== undefined && "value" in document ? document.value : undefined;
  const metadata = isRecord(value) ? value["metadata"] : undefined;
  const namespace = isRecord(metadata) ? metadata["namespace"] : undefined;
  return typeof namespace === "string" ? namespace : "default";
}

async function guardsInBundle(context: CliContext, path: string, pinPath: string): Promise<readonly Guard[]> {
  const pin = parsePin(await readTextInput(context, pinPath), pinPath);
  const bundle = await readBundleInput(context, path);
  return bundle.sets.flatMap((set) => {
    const verdict = verifyBundle({ pin, bundle: set, nowMs: context.nowMs(), states: new Map() });
    if (verdict.result !== "ok")
      throw new VerifyError(verdict.result, verdict.reason, { where: `${verdict.ns}: ${verdict.where}` });
    return verdict.objects.filter(({ rt }) => isGuard(rt)).map(({ data }) => guardOf(data));
  });
}

function guardOf(data: Uint8Array): Guard {
  const { guard, faults } = parseGuard(data);
  if (guard !== undefined) return guard;
  throw new ConfigError(faults.map(({ where, message }) => ({ path: where, message })));
}
