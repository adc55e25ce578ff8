// A bundle: all that a consumer needs of one or more namespaces, as texts that nobody has to trust. It is the plugin
// configuration of the filter; what `wpgate sign` writes, what a WasmPlugin carries and what Envoy gets are one format.
//
//   {"wpgate":1,"sets":[{"roots":["…"],"fresh":"…","set":"…","envelopes":["…"]}],"fresh":{"<namespace>":"…"}}
//
// The outer `fresh` is what online signers add to an object in Kubernetes; reading resolves it, and nothing here writes it.
import { isRecord, isTextList } from "../bytes/record.ts";
import { parseYaml } from "../bytes/yaml.ts";
import { isLabel } from "../envelope/names.ts";
import { ConfigError } from "../errors.ts";
import { FRESH_ENTRIES_MAX_COUNT } from "../gen/limits.ts";
import { countingFresh, outerFreshFor } from "./outer-fresh.ts";

/** One namespace's part; every text is the base64url of an envelope. */
export interface NamespaceBundle {
  /** Oldest first, from the pinned root or one before it to the current one. */
  readonly roots: readonly string[];
  readonly fresh?: string;
  readonly set?: string;
  readonly envelopes: readonly string[];
}

export interface Bundle {
  readonly wpgate: 1;
  readonly sets: readonly NamespaceBundle[];
}

/** What the `pluginConfig` of an object holds. */
export interface PluginConfiguration {
  /** Each with the fresh statement that counts. */
  readonly sets: readonly NamespaceBundle[];
  /** Beside `sets`, by namespace. */
  readonly fresh: ReadonlyMap<string, string>;
}

/** The filter takes this text as it is: nothing may follow the value, not even the end of a line. */
export function encodeBundle(sets: readonly NamespaceBundle[]): string {
  const bundle: Bundle = {
    wpgate: 1,
    sets: sets.map(({ roots, fresh, set, envelopes }) => ({
      roots,
      ...(fresh === undefined ? {} : { fresh }),
      ...(set === undefined ? {} : { set }),
      envelopes,
    })),
  };
  return JSON.stringify(bundle, null, 1);
}

/**
 * Reads a bundle, or the bundles inside WasmPlugin objects (YAML or JSON, also a `List` of them).
 * @throws ConfigError when there is none, or it is not as above
 */
export function parseBundle(text: string, source: string): Bundle {
  const configurations = documentsOf(text, source).flatMap(configurationsIn);
  if (configurations.length === 0)
    throw new ConfigError([{ path: source, message: "holds no bundle and no WasmPlugin of wpgate" }]);
  return { wpgate: 1, sets: configurations.flatMap((configuration) => readConfiguration(configuration, source).sets) };
}

/** The values in a text, YAML or JSON. JSON first: it is what bundles are, and its parser is a hundred times faster.
 *  @throws ConfigError for what is neither */
export function documentsOf(text: string, source: string): readonly unknown[] {
  try {
    return [JSON.parse(text) as unknown];
  } catch {
    return parseYaml(text).map((document) => {
      if ("value" in document) return document.value;
      throw new ConfigError([{ path: `${source}:${document.fault.line}`, message: document.fault.message }]);
    });
  }
}

function configurationsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!isRecord(value)) return [];
  if (value["wpgate"] !== undefined) return [value];
  if (Array.isArray(value["items"])) return value["items"].flatMap((item: unknown) => configurationsIn(item));
  const spec = value["kind"] === "WasmPlugin" ? value["spec"] : undefined;
  return isRecord(spec) ? configurationsIn(spec["pluginConfig"]) : [];
}

/** @throws ConfigError when it is not as above */
export function readConfiguration(
  configuration: Readonly<Record<string, unknown>>,
  source: string,
): PluginConfiguration {
  const wrong: Wrong = (path, message) => {
    throw new ConfigError([{ path: `${source}: ${path}`, message }]);
  };
  if (configuration["wpgate"] !== 1) wrong("wpgate", "must be 1, the version of this format");
  const fresh = freshOf(configuration["fresh"], wrong);
  return { sets: setsOf(configuration["sets"], wrong).map((set) => withCountingFresh(set, fresh)), fresh };
}

function withCountingFresh(set: NamespaceBundle, outer: ReadonlyMap<string, string>): NamespaceBundle {
  const text = outerFreshFor(set.roots, outer);
  return text === undefined ? set : { ...set, fresh: countingFresh(set.fresh, text) };
}

type Wrong = (path: string, message: string) => never;

function freshOf(value: unknown, wrong: Wrong): ReadonlyMap<string, string> {
  if (value === undefined) return new Map();
  if (!isRecord(value)) return wrong("fresh", "must map namespaces to fresh statements");
  const entries = Object.entries(value).map(([ns, text]): readonly [string, string] =>
    isLabel(ns) && typeof text === "string" ? [ns, text] : wrong(`fresh.${ns}`, "must be a namespace and a text"),
  );
  if (entries.length > FRESH_ENTRIES_MAX_COUNT) wrong("fresh", `must have at most ${FRESH_ENTRIES_MAX_COUNT} members`);
  return new Map(entries);
}

function setsOf(sets: unknown, wrong: Wrong): readonly NamespaceBundle[] {
  const texts = (value: unknown, path: string): readonly string[] =>
    isTextList(value) ? value : wrong(path, "must be a list of texts");
  const text = (value: unknown, path: string): string =>
    typeof value === "string" ? value : wrong(path, "must be a text");
  if (!Array.isArray(sets)) return wrong("sets", "must be a list");
  return sets.map((set: unknown, index): NamespaceBundle => {
    const path = `sets[${index}]`;
    if (!isRecord(set)) return wrong(path, "must be an object");
    return {
      roots: texts(set["roots"], `${path}.roots`),
      ...(set["fresh"] === undefined ? {} : { fresh: text(set["fresh"], `${path}.fresh`) }),
      ...(set["set"] === undefined ? {} : { set: text(set["set"], `${path}.set`) }),
      envelopes: texts(set["envelopes"], `${path}.envelopes`),
    };
  });
}
