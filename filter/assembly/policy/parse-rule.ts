// The `rules` of an AuthorizationPolicy.
import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";
import { Json, JsonKind } from "../wire/json";
import { Faults } from "./faults";
import { FieldName, isOneOf, OPERATION_FIELDS, SOURCE_FIELDS, UNSUPPORTED_SOURCE } from "./fields";
import { Condition, Field, Rule } from "./policy";
import { isValidValue } from "./values";
import { readWhenKey } from "./when-key";

const SERVICE_ACCOUNTS_MAX_COUNT = 16;

export function readRule(json: Json, where: string, faults: Faults): Rule {
  const rule = new Rule();
  if (!faults.payloadUnless(json.kind == JsonKind.Object, where)) return rule;
  for (let i = 0; i < json.keys.length && faults.none; i++) {
    const name = json.keys[i];
    const inner = where + "." + name.toString();
    if (equalsAscii(name, "from")) rule.sources = readAlternatives(json.items[i], inner, true, faults);
    else if (equalsAscii(name, "to")) rule.operations = readAlternatives(json.items[i], inner, false, faults);
    else if (equalsAscii(name, "when")) rule.when = readWhen(json.items[i], inner, faults);
    else faults.payload(inner);
  }
  return rule;
}

/** `[{"source": {…}}, …]` or `[{"operation": {…}}, …]`. */
function readAlternatives(json: Json, where: string, isSource: bool, faults: Faults): Condition[][] {
  const alternatives: Condition[][] = [];
  if (!faults.payloadUnless(json.kind == JsonKind.Array && json.items.length > 0, where)) return alternatives;
  for (let i = 0; i < json.items.length && faults.none; i++) {
    const item = json.items[i];
    const at = where + "[" + i.toString() + "]";
    if (!faults.payloadUnless(item.kind == JsonKind.Object, at)) break;
    const name = isSource ? "source" : "operation";
    for (let j = 0; j < item.keys.length && faults.none; j++) {
      const inner = at + "." + item.keys[j].toString();
      if (!equalsAscii(item.keys[j], name)) faults.payload(inner);
      else alternatives.push(readFields(item.items[j], inner, isSource, faults));
    }
    faults.payloadUnless(item.keys.length > 0, at + "." + name);
  }
  return alternatives;
}

function readFields(json: Json, where: string, isSource: bool, faults: Faults): Condition[] {
  const conditions: Condition[] = [];
  if (!faults.payloadUnless(json.kind == JsonKind.Object, where)) return conditions;
  const known = isSource ? SOURCE_FIELDS : OPERATION_FIELDS;
  for (let i = 0; i < json.keys.length && faults.none; i++) {
    const name = json.keys[i];
    const inner = where + "." + name.toString();
    const field = findField(known, name);
    if (field !== null) readField(conditions, field, json, i, inner, faults);
    else if (isSource && isOneOf(name, UNSUPPORTED_SOURCE)) faults.unsupported(inner);
    else faults.payload(inner);
  }
  faults.payloadUnless(conditions.length > 0, where);
  if (isSource) checkServiceAccounts(conditions, where, faults);
  return conditions;
}

function readField(
  conditions: Condition[],
  field: FieldName,
  json: Json,
  index: i32,
  where: string,
  faults: Faults,
): void {
  const values = readValues(json.items[index], field.field, where, faults);
  if (values.length == 0) return;
  const condition = conditionOn(conditions, field.field);
  if (equalsAscii(json.keys[index], field.name)) condition.values = values;
  else condition.notValues = values;
}

function findField(known: FieldName[], name: View): FieldName | null {
  for (let i = 0; i < known.length; i++) {
    if (equalsAscii(name, known[i].name) || equalsAscii(name, known[i].notName)) return known[i];
  }
  return null;
}

function conditionOn(conditions: Condition[], field: Field): Condition {
  for (let i = 0; i < conditions.length; i++) if (conditions[i].field == field) return conditions[i];
  const condition = new Condition(field, []);
  conditions.push(condition);
  return condition;
}

/** A service account already says the namespace; a second opinion in the same source is refused. */
function checkServiceAccounts(conditions: Condition[], where: string, faults: Faults): void {
  let hasAccounts = false;
  let hasNames = false;
  for (let i = 0; i < conditions.length; i++) {
    const field = conditions[i].field;
    if (field == Field.ServiceAccount) hasAccounts = true;
    if (field == Field.Principal || field == Field.Namespace) hasNames = true;
  }
  faults.payloadUnless(!(hasAccounts && hasNames), where + ".serviceAccounts");
}

function readWhen(json: Json, where: string, faults: Faults): Condition[] {
  const conditions: Condition[] = [];
  if (!faults.payloadUnless(json.kind == JsonKind.Array, where)) return conditions;
  for (let i = 0; i < json.items.length && faults.none; i++) {
    const condition = readCondition(json.items[i], where + "[" + i.toString() + "]", faults);
    if (condition !== null) conditions.push(condition);
  }
  return conditions;
}

function readCondition(json: Json, where: string, faults: Faults): Condition | null {
  if (!faults.payloadUnless(json.kind == JsonKind.Object, where)) return null;
  const key = json.get("key");
  if (key === null || key.kind != JsonKind.String) {
    faults.payload(where + ".key");
    return null;
  }
  const condition = readWhenKey(key.text, where + ".key", faults);
  for (let i = 0; i < json.keys.length && condition !== null && faults.none; i++) {
    const name = json.keys[i];
    const inner = where + "." + name.toString();
    if (equalsAscii(name, "values")) condition.values = readValues(json.items[i], condition.field, inner, faults);
    else if (equalsAscii(name, "notValues"))
      condition.notValues = readValues(json.items[i], condition.field, inner, faults);
    else faults.payloadUnless(equalsAscii(name, "key"), inner);
  }
  if (condition !== null && condition.values.length + condition.notValues.length == 0)
    faults.payload(where + ".values");
  return condition;
}

function readValues(json: Json, field: Field, where: string, faults: Faults): View[] {
  const values: View[] = [];
  const isShort = field != Field.ServiceAccount || json.items.length <= SERVICE_ACCOUNTS_MAX_COUNT;
  if (!faults.payloadUnless(json.kind == JsonKind.Array && isShort, where)) return values;
  for (let i = 0; i < json.items.length && faults.none; i++) {
    const value = json.items[i];
    const isValid = value.kind == JsonKind.String && isValidValue(field, value.text);
    if (isValid) values.push(value.text);
    else faults.payload(where + "[" + i.toString() + "]");
  }
  return values;
}
