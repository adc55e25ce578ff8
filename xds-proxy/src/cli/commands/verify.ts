/** `wpgate verify`: what a consumer with this pin would do with these bundles. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { Recipient, TrustState } from "../../envelope/types.ts";
import { VerifyError } from "../../errors.ts";
import { displayName } from "../../owner/object-name.ts";
import { parsePin } from "../../owner/pin.ts";
import { verifyBundle, type BundleVerdict } from "../../owner/verify-bundle.ts";
import { readBundleInput } from "../bundle-input.ts";
import type { CliContext } from "../context.ts";
import { Exit, reportFailure, usageError } from "../failure.ts";
import { readTextInput, replaceFile } from "../files.ts";
import { HINTS } from "../hints.ts";
import { loadExchangeKey } from "../key-files.ts";
import { collect, example, jsonOption, outputOption, timeMs } from "../options.ts";
import { parseStates, writeStates } from "../state-file.ts";
import { columns, painter, printable, printJson } from "../ui.ts";

interface Options {
  readonly pin: string;
  readonly ns?: readonly string[];
  readonly recipient?: string;
  readonly state?: string;
  readonly at?: number;
  readonly output: "text" | "json";
}

export function verifyCommand(context: CliContext): Command {
  const command = new Command("verify")
    .summary("check a bundle as a consumer does")
    .description(
      "Checks every namespace's part of a bundle, or of a WasmPlugin (kubectl get wasmplugin -o yaml), against a\n" +
        "pin: the chain of roots, fresh, the set, each statement, that none is missing, and that the filter\n" +
        "enforces each policy. Exit code 0 when all of it is good, 1 and a refusal code otherwise.",
    )
    .argument("<bundle>", "bundle.json, WasmPlugin objects, or -")
    .addOption(new Option("--pin <file>", "the trust root").makeOptionMandatory())
    .addOption(new Option("--ns <name>", "this namespace must be there; can be repeated").argParser(collect))
    .addOption(new Option("--recipient <file>", "private key for what is sealed"))
    .addOption(new Option("--state <file>", "what was seen last: refuses what is older, and is brought up to date"))
    .addOption(new Option("--at <time>", "check as of this time, such as 2030-01-31T12:00:00Z").argParser(timeMs))
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (path: string, options: Options) => {
      await verify(context, path, options);
    });
  return example(
    command,
    "wpgate verify team-a/bundle.json --pin pin.json --recipient backend.pem\n" +
      "wpgate verify team-a/bundle.json --pin pin.json --recipient backend.pem --json",
  );
}

async function verify(context: CliContext, path: string, options: Options): Promise<void> {
  const pin = parsePin(await readTextInput(context, options.pin), options.pin);
  const bundle = await readBundleInput(context, path);
  const recipient: Recipient | undefined =
    options.recipient === undefined ? undefined : await loadExchangeKey(context, options.recipient);
  const states = await loadStates(context, options.state);
  const verdicts = bundle.sets.map((set) =>
    verifyBundle({ pin, bundle: set, nowMs: options.at ?? context.nowMs(), states, recipient }),
  );
  const missing = (options.ns ?? []).find((ns) => !verdicts.some((verdict) => verdict.ns === ns));
  if (missing !== undefined)
    throw usageError("--ns", `${missing} is not in ${path}`, "was its part left out on the way?");
  const refused = verdicts.find((verdict) => verdict.result !== "ok");
  if (options.output === "json")
    printJson(context, { result: refused?.result ?? "ok", namespaces: verdicts.map(jsonOf) });
  else context.stdout(verdicts.map((verdict) => textOf(context, verdict)).join(""));
  if (refused !== undefined) {
    if (options.output === "text") explainRefusal(context, refused);
    throw new Exit(1);
  }
  if (options.state !== undefined) saveStates(context, options.state, states, verdicts);
}

function explainRefusal(context: CliContext, verdict: BundleVerdict): void {
  if (verdict.result === "ok") return;
  reportFailure(new VerifyError(verdict.result, verdict.reason, { where: `${verdict.ns}: ${verdict.where}` }), context);
}

function textOf(context: CliContext, verdict: BundleVerdict): string {
  const paint = painter(context.colour.stdout);
  const ns = printable(verdict.ns === "" ? "(no namespace)" : verdict.ns);
  if (verdict.result !== "ok") return `${paint("bold", ns)}  ${paint("red", verdict.result)}  ${verdict.where}\n`;
  const { root, state, freshExpSec, objects } = verdict;
  const until = new Date(freshExpSec * 1000).toISOString();
  const lines = objects.map((object) => [`  ${printable(displayName(object))}`, object.ver]);
  return (
    `${paint("bold", ns)}  ${paint("green", "ok")}  root ${root.ep}, set ${state.setVer}, fresh until ${until}, ` +
    `${root.mode}, default ${root.default}, paths ${root.paths}\n${columns(lines)}`
  );
}

function jsonOf(verdict: BundleVerdict): unknown {
  if (verdict.result !== "ok")
    return { ns: verdict.ns, result: verdict.result, where: verdict.where, hint: HINTS.get(verdict.result) };
  const { ns, result, root, state, freshExpSec, expiresAtSec, objects } = verdict;
  const { ep, mode, paths, onStale } = root;
  return {
    ...{ ns, result, root: { ep, mode, default: root.default, paths, onStale } },
    ...{ state, freshExpSec, expiresAtSec, objects: objects.map(({ rt, name, ver }) => ({ rt, name, ver })) },
  };
}

async function loadStates(context: CliContext, path: string | undefined): Promise<ReadonlyMap<string, TrustState>> {
  if (path === undefined || !existsSync(resolve(context.cwd, path))) return new Map();
  return parseStates(await readTextInput(context, path), path);
}

function saveStates(
  context: CliContext,
  path: string,
  before: ReadonlyMap<string, TrustState>,
  verdicts: readonly BundleVerdict[],
): void {
  const next = new Map(before);
  for (const verdict of verdicts) if (verdict.result === "ok") next.set(verdict.ns, verdict.state);
  replaceFile({ path: resolve(context.cwd, path), content: writeStates(next) });
}
