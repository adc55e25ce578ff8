/** The `rules` of an AuthorizationPolicy. */
import type { JsonValue } from "../bytes/json.ts";
import { OPERATION_FIELDS, SOURCE_FIELDS, UNSUPPORTED_SOURCE, whenKey, type FieldRow } from "./fields.ts";
import type { Faults, Place } from "./faults.ts";
import type { Condition, Field, PolicyRule } from "./types.ts";
import { valueFault } from "./values.ts";

const SERVICE_ACCOUNTS_MAX_COUNT = 16;

export function readRule(place: Place, faults: Faults): PolicyRule {
  let sources: PolicyRule["sources"] = [];
  let operations: PolicyRule["operations"] = [];
  let when: PolicyRule["when"] = [];
  for (const [name, value] of faults.object(place) ?? []) {
    const inner = { value, where: `${place.where}.${name}` };
    if (name === "from") sources = readAlternatives(inner, SOURCE, faults);
    else if (name === "to") operations = readAlternatives(inner, OPERATION, faults);
    else if (name === "when") when = faults.items(inner).flatMap((item) => readCondition(item, faults) ?? []);
    else faults.payload(inner.where, "unknown field");
  }
  return { sources, operations, when };
}

interface Part {
  readonly member: string;
  readonly fields: ReadonlyMap<string, FieldRow>;
  readonly unsupported: ReadonlyMap<string, string>;
}

const SOURCE: Part = { member: "source", fields: SOURCE_FIELDS, unsupported: UNSUPPORTED_SOURCE };
const OPERATION: Part = { member: "operation", fields: OPERATION_FIELDS, unsupported: new Map() };

function readAlternatives(place: Place, part: Part, faults: Faults): readonly (readonly Condition[])[] {
  const items = faults.items(place);
  if (Array.isArray(place.value) && items.length === 0) faults.payload(place.where, "must not be empty");
  return items.flatMap((item) => {
    const object = faults.object(item);
    if (object?.size === 0) faults.payload(`${item.where}.${part.member}`, "must be present");
    return [...(object ?? [])].flatMap(([name, value]) => {
      const where = `${item.where}.${name}`;
      if (name === part.member) return [readFields({ value, where }, part, faults)];
      faults.payload(where, "unknown field");
      return [];
    });
  });
}

function readFields(place: Place, part: Part, faults: Faults): readonly Condition[] {
  const object = faults.object(place);
  if (object === undefined) return [];
  const before = faults.all.length;
  const conditions = [...object].flatMap(([name, value]) => {
    const where = `${place.where}.${name}`;
    const row = part.fields.get(name);
    const unsupported = part.unsupported.get(name);
    if (row !== undefined) return readField({ value, where }, row, faults);
    if (unsupported === undefined) faults.payload(where, "unknown field");
    else faults.unsupported(where, unsupported);
    return [];
  });
  if (faults.all.length > before) return conditions;
  if (conditions.length === 0) faults.payload(place.where, "must say something");
  const has = (...fields: Field[]): boolean => conditions.some(({ field }) => fields.includes(field));
  if (has("serviceAccount") && has("principal", "namespace"))
    faults.payload(`${place.where}.serviceAccounts`, "must not stand beside principals or namespaces");
  return conditions;
}

function readField(place: Place, { field, negated }: FieldRow, faults: Faults): readonly Condition[] {
  const texts = readValues(place, field, faults);
  if (texts.length === 0) return [];
  const [values, notValues] = negated ? [[], texts] : [texts, []];
  return [{ field, names: [], values, notValues, where: place.where }];
}

function readCondition(place: Place, faults: Faults): Condition | undefined {
  const object = faults.object(place);
  if (object === undefined) return undefined;
  const key = object.get("key");
  if (typeof key !== "string") {
    faults.payload(`${place.where}.key`, "must be a text");
    return undefined;
  }
  const known = whenKey(key);
  if (known.field === undefined) {
    if (known.unsupported) faults.unsupported(`${place.where}.key`, known.message);
    else faults.payload(`${place.where}.key`, known.message);
    return undefined;
  }
  const { field, names } = known;
  const before = faults.all.length;
  const lists = new Map<string, readonly string[]>();
  for (const [name, value] of object) {
    const inner: Place = { value, where: `${place.where}.${name}` };
    if (name === "values" || name === "notValues") lists.set(name, readValues(inner, field, faults));
    else if (name !== "key") faults.payload(inner.where, "unknown field");
  }
  const condition = {
    field,
    names,
    values: lists.get("values") ?? [],
    notValues: lists.get("notValues") ?? [],
    where: place.where,
  };
  if (faults.all.length === before && condition.values.length + condition.notValues.length === 0)
    faults.payload(`${place.where}.values`, "values or notValues must be given");
  return condition;
}

function readValues(place: Place, field: Field, faults: Faults): readonly string[] {
  const items = faults.items(place);
  if (field === "serviceAccount" && items.length > SERVICE_ACCOUNTS_MAX_COUNT)
    faults.payload(place.where, `must not have more than ${SERVICE_ACCOUNTS_MAX_COUNT} values`);
  return items.flatMap(({ value, where }) => {
    const fault = textFault(value, field);
    if (fault === undefined && typeof value === "string") return [value];
    faults.payload(where, fault ?? "must be a text");
    return [];
  });
}

function textFault(value: JsonValue, field: Field): string | undefined {
  return typeof value === "string" ? valueFault(field, value) : "must be a text";
}
