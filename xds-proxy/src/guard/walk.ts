/**
 * Every message inside of a message, also through `Any` and TypedStruct, whatever it is about: a check that walks misses no
 * place that Envoy may look at. What hangs under `Metadata` is data that nothing runs, and is left out.
 */
import { isFieldSet, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { AnySchema, type Any } from "@bufbuild/protobuf/wkt";
import { unpack, type Unpacked } from "./unpack.ts";

export interface Visitor {
  /** Each message, outermost first. */
  readonly message: (visited: { schema: DescMessage; message: Message; where: string }) => void;
  /** Each `Any`, before what is inside; its content is visited, too, unless this says no. */
  readonly any: (visited: VisitedAny) => boolean;
  /** What cannot be read, or is nested too deep. */
  readonly unreadable: (where: string, reason: string) => void;
}

export interface VisitedAny {
  /** Of the message around it, or its key in a map; empty where there is none. */
  readonly name: string;
  readonly where: string;
  /** The field that holds it, `envoy.config.core.v3.TypedExtensionConfig.typed_config`. */
  readonly field: string;
  readonly unpacked: Unpacked;
}

/** Envoy's own configuration is a third as deep. */
const DEPTH_MAX = 64;
const LEFT_OUT: ReadonlySet<string> = new Set(["envoy.config.core.v3.Metadata"]);

interface Place {
  readonly where: string;
  readonly name: string;
  readonly depth: number;
}

export function walk(schema: DescMessage, message: Message, where: string, visitor: Visitor): void {
  visit(schema, message, { where, name: "", depth: 0 }, visitor);
}

function visit(schema: DescMessage, message: Message, place: Place, visitor: Visitor): void {
  if (place.depth > DEPTH_MAX) {
    visitor.unreadable(place.where, "nested too deep");
    return;
  }
  if (LEFT_OUT.has(schema.typeName)) return;
  visitor.message({ schema, message, where: place.where });
  const view = reflect(schema, message, false);
  const ownName = textIn(view, "name");
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue;
    const where = place.where === "" ? field.name : `${place.where}.${field.name}`;
    for (const { value, suffix, key } of messagesIn(view, field)) {
      const inside = { where: `${where}${suffix}`, name: key ?? ownName ?? place.name, depth: place.depth + 1 };
      if (value.desc.typeName === AnySchema.typeName) visitAny(value.message as Any, field, inside, visitor);
      else if (!value.desc.typeName.startsWith("google.protobuf.")) visit(value.desc, value.message, inside, visitor);
    }
  }
}

function visitAny(any: Any, field: DescField, place: Place, visitor: Visitor): void {
  const { where, name } = place;
  let unpacked: Unpacked;
  try {
    unpacked = unpack(any);
  } catch (error) {
    visitor.unreadable(where, error instanceof Error ? error.message : String(error));
    return;
  }
  const goOn = visitor.any({ name, where, field: `${field.parent.typeName}.${field.name}`, unpacked });
  const { content } = unpacked;
  if (goOn && content) visit(content.schema, content.message, { ...place, depth: place.depth + 1 }, visitor);
}

interface Inner {
  readonly value: ReflectMessage;
  readonly suffix: string;
  /** Of a map. */
  readonly key?: string;
}

function messagesIn(view: ReflectMessage, field: DescField): readonly Inner[] {
  if (field.fieldKind === "message") return [{ value: view.get(field), suffix: "" }];
  if (field.fieldKind === "list" && field.listKind === "message")
    return Array.from(view.get(field) as Iterable<ReflectMessage>, (value, at) => ({ value, suffix: `[${at}]` }));
  if (field.fieldKind === "map" && field.mapKind === "message")
    return Array.from(view.get(field) as Iterable<[unknown, ReflectMessage]>, ([key, value]) => ({
      ...{ value, suffix: `[${JSON.stringify(key)}]`, key: String(key) },
    }));
  return [];
}

function textIn(view: ReflectMessage, name: string): string | undefined {
  const field = view.desc.field[name];
  if (field?.fieldKind !== "scalar") return undefined;
  const value = view.get(field);
  return typeof value === "string" && value !== "" ? value : undefined;
}
