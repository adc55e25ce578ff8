/**
 * YAML 1.2 (and so JSON) as people write it: documents to plain values. Strict where YAML is lax: unique and textual member
 * names, no unknown tags, few aliases. Never throws.
 */
import { LineCounter, parseAllDocuments, type Document } from "yaml";

/** Enough for people who avoid repeating themselves, too few for a text that grows without bound. */
const ALIASES_MAX_COUNT = 100;

export type YamlDocument = { readonly value: unknown } | { readonly fault: YamlFault };

export interface YamlFault {
  /** The first is 1. */
  readonly line: number;
  readonly message: string;
}

/** Every document of a text; an empty one is null. */
export function parseYaml(text: string): readonly YamlDocument[] {
  const lines = new LineCounter();
  const documents: readonly Document[] = parseAllDocuments(text, {
    version: "1.2",
    strict: true,
    stringKeys: true,
    lineCounter: lines,
    prettyErrors: false,
  });
  return documents.map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) return { fault: { line: lines.linePos(problem.pos[0]).line, message: problem.message } };
    try {
      return { value: document.toJS({ maxAliasCount: ALIASES_MAX_COUNT }) as unknown };
    } catch {
      return { fault: { line: lines.linePos(document.range?.[0] ?? 0).line, message: "too many aliases" } };
    }
  });
}
