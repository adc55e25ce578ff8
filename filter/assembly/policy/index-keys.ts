// By which texts a rule can be found: every request that matches the rule has one of its keys in the given attribute.
import { View } from "../bytes/view";
import { lowerCase, Pattern, PatternKind } from "./pattern";
import { PeerPattern, principalPatterns } from "./peer";
import { Condition, Field, Rule } from "./policy";
import { isTemplate, Template } from "./template";
import { TrustDomains } from "./trust-domains";

@final
export class Key {
  constructor(
    readonly text: View,
    readonly isPrefix: bool,
  ) {}
}

/** Keys on the path, or null when the rule is not bound to known beginnings of paths. */
export function pathKeys(rule: Rule): Key[] | null {
  const keys: Key[] = [];
  for (let i = 0; i < rule.operations.length; i++) {
    const values = valuesOf(rule.operations[i], Field.Path);
    if (values === null) return null;
    for (let j = 0; j < values.length; j++) {
      if (isTemplate(values[j])) keys.push(new Key(new Template(values[j]).prefix, true));
      else if (!pushPattern(keys, values[j])) return null;
    }
  }
  return keys.length > 0 ? keys : null;
}

/** Keys on the host in lower case. */
export function hostKeys(rule: Rule): Key[] | null {
  const keys: Key[] = [];
  for (let i = 0; i < rule.operations.length; i++) {
    const values = valuesOf(rule.operations[i], Field.Host);
    if (values === null) return null;
    for (let j = 0; j < values.length; j++) if (!pushPattern(keys, lowerCase(values[j]))) return null;
  }
  return keys.length > 0 ? keys : null;
}

/** Keys on the names in the peer's certificate, as `TrustDomains.canonical` spells them. */
export function peerKeys(rule: Rule, trustDomains: TrustDomains): Key[] | null {
  const keys: Key[] = [];
  for (let i = 0; i < rule.sources.length; i++) {
    const values = valuesOf(rule.sources[i], Field.Principal);
    if (values === null) return null;
    for (let j = 0; j < values.length; j++) {
      if (!pushExact(keys, principalPatterns(values[j], trustDomains))) return null;
    }
  }
  return keys.length > 0 ? keys : null;
}

/** The values of the one condition on `field`, which every match must meet; null without such values. */
function valuesOf(conditions: Condition[], field: Field): View[] | null {
  for (let i = 0; i < conditions.length; i++) {
    if (conditions[i].field == field && conditions[i].values.length > 0) return conditions[i].values;
  }
  return null;
}

function pushExact(keys: Key[], patterns: PeerPattern[]): bool {
  for (let i = 0; i < patterns.length; i++) {
    const name = patterns[i].exact();
    if (name === null) return false;
    keys.push(new Key(name, false));
  }
  return true;
}

function pushPattern(keys: Key[], value: View): bool {
  const pattern = Pattern.of(value, PatternKind.Present);
  if (pattern.kind != PatternKind.Exact && pattern.kind != PatternKind.Prefix) return false;
  keys.push(new Key(pattern.text, pattern.kind == PatternKind.Prefix));
  return true;
}
