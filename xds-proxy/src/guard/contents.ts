/** What may be anywhere inside of a resource: code, unknown types, fields newer than this program, forged filter state. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { isListedCode, sha256Hex } from "./code.ts";
import type { Findings } from "./findings.ts";
import { isCode, knownType } from "./known-types.ts";
import type { Guard } from "./types.ts";
import { walk } from "./walk.ts";

export interface ContentsOptions {
  readonly guard: Guard;
  readonly findings: Findings;
  /** In a protected listener whatever is not known is refused; elsewhere only code is. */
  readonly isProtected: boolean;
  /** The one Wasm configuration that is checked by itself. */
  readonly own?: string;
}

/** The belt believes this. */
const MARK = /^wasm(?:\.|$)/;

export function checkContents(schema: DescMessage, message: Message, where: string, options: ContentsOptions): void {
  const { guard, findings, isProtected, own } = options;
  walk(schema, message, where, {
    message: (visited) => {
      const [unknown] = visited.message.$unknown ?? [];
      if (unknown !== undefined && isProtected)
        findings.add("unknown-field", visited.where, `${visited.schema.typeName} has a field ${unknown.no}`);
      checkFilterState(visited, findings);
    },
    any: ({ name, where: at, unpacked }) => {
      const { type } = unpacked;
      if (own !== undefined && name === own) return false;
      if (isListedCode(guard, name, unpacked)) return false;
      if (isCode(type))
        findings.add(
          "code",
          at,
          `${name} is ${type}, which spec.code does not list (its SHA-256 is ${sha256Hex(unpacked.bytes)})`,
        );
      else if (isProtected && knownType(type) === undefined)
        findings.add(
          "unknown-type",
          at,
          type === "" ? `${name} has no type` : `${name} is ${type} (its SHA-256 is ${sha256Hex(unpacked.bytes)})`,
        );
      return true;
    },
    unreadable: (at, reason) => {
      if (isProtected) findings.add("undecodable", at, reason);
    },
  });
}

function checkFilterState(
  { schema, message, where }: { schema: DescMessage; message: Message; where: string },
  findings: Findings,
): void {
  if (schema.typeName !== "envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue") return;
  const { key } = message as Message & { readonly key: { readonly value?: unknown } };
  if (typeof key.value !== "string") return;
  if (MARK.test(key.value)) findings.add("belt", where, `filter state ${key.value} is set, which is the filter's mark`);
  if (key.value.includes("original_dst") || key.value.includes("dynamic_"))
    findings.add("exposure", where, `filter state ${key.value} changes where a request goes`);
}
