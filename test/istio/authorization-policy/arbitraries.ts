/** AuthorizationPolicies and sets of them, as people write them and somewhat beyond. */
import fc from "fast-check";
import type { PolicySpec } from "../../e2e/rbac/group.ts";
import { LABELS } from "./place.ts";
import type { Values } from "./values.ts";

type Members = Readonly<Record<string, fc.Arbitrary<readonly string[]>>>;

const list = (value: fc.Arbitrary<string>): fc.Arbitrary<readonly string[]> =>
  fc.uniqueArray(value, { minLength: 1, maxLength: 3 });

/** One to three of the members. */
function some(members: Members): fc.Arbitrary<object> {
  const names = Object.keys(members);
  return fc
    .subarray(names, { minLength: 1, maxLength: Math.min(3, names.length) })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, members[name] ?? fc.constant([])]))));
}

function both(name: string, value: fc.Arbitrary<string>): Members {
  return { [name]: list(value), [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`]: list(value) };
}

function sources(values: Values): fc.Arbitrary<object> {
  const any = { ...both("requestPrincipals", values.requestPrincipal), ...both("remoteIpBlocks", values.block) };
  const byName = { ...both("principals", values.principal), ...both("namespaces", values.namespace) };
  const byAccount = both("serviceAccounts", values.serviceAccount);
  const byDomain = both("trustDomains", values.trustDomain);
  return fc.oneof(
    some(byName),
    some(byAccount),
    some(byDomain),
    some(any),
    some({ ...any, ...byName, ...byDomain }),
    some({ ...any, ...byAccount, ...byDomain }),
  );
}

function operations(values: Values): fc.Arbitrary<object> {
  const members = {
    ...both("hosts", values.host),
    ...both("ports", values.port),
    ...both("methods", values.method),
    ...both("paths", values.path),
  };
  return fc.oneof(some(both("paths", values.path)), some(members));
}

function conditions(values: Values): fc.Arbitrary<object> {
  const keys: readonly (readonly [string, fc.Arbitrary<string>])[] = [
    ["request.headers[X-Role]", values.word],
    ["request.headers[x-team]", values.word],
    ["request.headers[User-Agent]", values.word],
    ["request.headers[:authority]", values.host],
    ["request.headers[:method]", values.method],
    ["source.principal", values.principal],
    ["source.namespace", values.namespace],
    ["source.serviceAccount", values.serviceAccount],
    ["source.trustDomain", values.trustDomain],
    ["remote.ip", values.block],
    ["request.auth.principal", values.requestPrincipal],
    ["request.auth.audiences", values.word],
    ["request.auth.presenter", values.word],
    ["request.auth.claims[groups]", values.word],
    ["request.auth.claims[scope]", values.word],
    ["request.auth.claims[realm][roles]", values.word],
    ["request.auth.claims[iss]", values.issuer],
    ["destination.ip", values.destination],
    ["destination.port", values.port],
    ["connection.sni", values.host],
  ];
  return fc
    .constantFrom(...keys)
    .chain(([key, value]) =>
      fc.oneof(
        fc.record({ key: fc.constant(key), values: list(value) }),
        fc.record({ key: fc.constant(key), notValues: list(value) }),
        fc.record({ key: fc.constant(key), values: list(value), notValues: list(value) }),
      ),
    );
}

function rules(values: Values): fc.Arbitrary<object> {
  const from = fc.array(fc.record({ source: sources(values) }), { minLength: 1, maxLength: 2 });
  const to = fc.array(fc.record({ operation: operations(values) }), { minLength: 1, maxLength: 2 });
  const when = fc.array(conditions(values), { minLength: 1, maxLength: 2 });
  return fc.oneof(
    fc.record({ from }),
    fc.record({ to }),
    fc.record({ when }),
    fc.record({ from, to }),
    fc.record({ to, when }),
    fc.record({ from, when }),
    fc.record({ from, to, when }),
  );
}

const selector = fc.constantFrom<Readonly<Record<string, string>>>(
  { app: LABELS.app },
  { version: LABELS.version },
  { ...LABELS },
  { app: "other" },
  { app: LABELS.app, tier: "front" },
);

interface Shape {
  readonly action: string | undefined;
  readonly root: boolean;
  readonly dryRun: string | undefined;
  readonly matchLabels: Readonly<Record<string, string>> | undefined;
  readonly rules: readonly object[];
}

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

function shapes(values: Values): fc.Arbitrary<Shape> {
  return fc
    .oneof(
      { weight: 5, arbitrary: fc.constantFrom("ALLOW", undefined) },
      { weight: 4, arbitrary: fc.constant("DENY") },
      { weight: 1, arbitrary: fc.constant("AUDIT") },
    )
    .chain((action) =>
      fc.record({
        action: fc.constant(action),
        root: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
        dryRun: action === "AUDIT" ? fc.constant(undefined) : rarely(fc.constantFrom("true", "false")),
        matchLabels: rarely(selector),
        rules: fc.array(rules(values), { minLength: 1, maxLength: 3 }),
      }),
    );
}

/** One to four policies that apply together. */
export function policySets(values: Values): fc.Arbitrary<readonly PolicySpec[]> {
  const sized = (length: number): fc.Arbitrary<readonly Shape[]> =>
    fc.array(shapes(values), { minLength: length, maxLength: length });
  return fc
    .oneof(
      { weight: 4, arbitrary: sized(1) },
      { weight: 3, arbitrary: sized(2) },
      { weight: 1, arbitrary: sized(3) },
      { weight: 1, arbitrary: sized(4) },
    )
    .map((all) => all.map(toPolicy));
}

function toPolicy({ action, root, dryRun, matchLabels, rules }: Shape, index: number): PolicySpec {
  return {
    name: `policy-${index}`,
    ...(root && { root }),
    ...(dryRun !== undefined && { dryRun }),
    spec: {
      ...(matchLabels && { selector: { matchLabels } }),
      ...(action !== undefined && { action }),
      rules,
    },
  };
}
