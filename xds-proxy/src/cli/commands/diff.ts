/** `wpgate diff`: what a new state of a namespace changes against the old one. */
import { Command } from "commander";
import { ParseError } from "../../errors.ts";
import { parseBundle } from "../../owner/bundle.ts";
import {
  compareSnapshots,
  snapshotOf,
  snapshotOfSources,
  type Comparison,
  type Snapshot,
} from "../../owner/compare.ts";
import { comparisonLines } from "../comparison-text.ts";
import type { CliContext } from "../context.ts";
import { Exit, reportFailure, usageError } from "../failure.ts";
import { expandFolders, readTextInput } from "../files.ts";
import { readObjectInputs } from "../objects-input.ts";
import { dirOption, example, jsonOption, outputOption } from "../options.ts";
import { openOwnerFolder, readBundle } from "../owner-folder.ts";
import { note, painter, printJson, type Paint } from "../ui.ts";

interface Options {
  readonly dir: string;
  readonly prune?: true;
  readonly output: "text" | "json";
}

export function diffCommand(context: CliContext): Command {
  const command = new Command("diff")
    .summary("show what a new set changes")
    .description(
      "Compares two bundles (or WasmPlugin objects), or what is published with the sources of what will be:\n" +
        "wpgate diff -C FOLDER SOURCES. Shows objects that come, go and change, and keys and settings of the\n" +
        "root. Of sealed objects it only sees that they differ. Signatures are not checked.\n" +
        "Exit code 0: nothing changes; 1: something does; 2: it can not be compared.",
    )
    .argument("<path...>", "OLD and NEW bundle, or sources")
    .addOption(dirOption())
    .option("--prune", "sources are all there is, as in wpgate sign --prune")
    .addOption(outputOption(["text", "json"]))
    .addOption(jsonOption())
    .action(async (paths: string[], options: Options) => {
      const comparison = await compare(context, paths, options).catch((error: unknown) => {
        reportFailure(error, context);
        throw new Exit(2);
      });
      const changed = comparison.root.length + comparison.objects.length > 0;
      if (options.output === "json") printJson(context, { changed, ...comparison });
      else context.stdout(textOf(comparison, painter(context.colour.stdout)));
      note(context, "signatures were not checked");
      if (changed) throw new Exit(1);
    });
  return example(command, "wpgate diff -C team-a allow-get.json");
}

async function compare(context: CliContext, paths: readonly string[], options: Options): Promise<Comparison> {
  const bundles = await bundlesIn(context, paths);
  const [before, after] = bundles ?? [];
  if (before !== undefined && after !== undefined && bundles?.length === 2) return compareSnapshots(before, after);
  if (bundles !== undefined) throw usageError("diff", "takes two bundles, or sources", "see wpgate diff --help");
  const folder = openOwnerFolder(context, options.dir);
  const sources = snapshotOfSources(await readObjectInputs(context, paths, folder.config.namespace));
  const published = snapshot(readBundle(folder));
  const kept = [...published.objects].filter(([, { data }]) => !options.prune || data === undefined);
  return compareSnapshots(published, { objects: new Map([...kept, ...sources.objects]) });
}

/** One snapshot for each namespace's part; undefined when the first file is no bundle. */
async function bundlesIn(context: CliContext, paths: readonly string[]): Promise<readonly Snapshot[] | undefined> {
  const files = expandFolders(context, paths);
  const [first] = files;
  if (files.length > 2 || first === undefined || first === "-") return undefined;
  const texts = await Promise.all(files.map((file) => readTextInput(context, file)));
  if (!texts.every((text) => /"?wpgate"?: *1/.test(text))) return undefined;
  return texts.flatMap((text, index) => parseBundle(text, files[index] ?? "").sets.map(snapshot));
}

function snapshot(set: Parameters<typeof snapshotOf>[0]): Snapshot {
  try {
    return snapshotOf(set);
  } catch (error) {
    if (error instanceof ParseError)
      throw usageError("diff", `an envelope is malformed: ${error.message}`, "see wpgate verify");
    throw error;
  }
}

function textOf(comparison: Comparison, paint: Paint): string {
  return comparisonLines(comparison, paint)
    .map((line) => `${line}\n`)
    .join("");
}
