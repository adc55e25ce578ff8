/** Requests with the policies in mind: those that a rule matches, and those that miss it in one condition. */
import fc from "fast-check";
import type { AuthorizationPolicy, Condition } from "../../../xds-proxy/src/policy/types.ts";
import { branchesOf, requestOf, unmetOf, type Branch } from "./branches.ts";
import { FOREIGN_TRUST_DOMAIN, ISSUERS, TRUST_DOMAIN_ALIASES, type Entrances } from "./place.ts";
import { away, changesFor } from "./placing.ts";
import { account, METHODS, PLAIN, token, type Probe } from "./probe.ts";

/** For each case. */
export const PROBES_MIN_COUNT = 20;
const PROBES_MAX_COUNT = 28;
const HITS_MAX_COUNT = 10;
/** Of each policy. */
const BRANCHES_MAX_COUNT = 6;
const ATTEMPTS_COUNT = 40;

type Change = (probe: Probe) => Probe;

/** Whatever the policies say. */
const GENERAL: readonly Probe[] = [
  PLAIN,
  { ...PLAIN, method: "POST", path: "/admin" },
  { ...PLAIN, path: "/api/v1/orders?x=1", host: "api.web.example" },
  { ...PLAIN, client: account("shop", "web") },
  { ...PLAIN, client: account("team-a", "web"), sni: "web.example" },
  { ...PLAIN, client: account("ops", "batch", FOREIGN_TRUST_DOMAIN) },
  { ...PLAIN, client: account("shop", "web", TRUST_DOMAIN_ALIASES[0]) },
  { ...PLAIN, client: { dns: "web.shop.example" } },
  { ...PLAIN, client: { commonName: "web" } },
  { ...PLAIN, jwt: token() },
  { ...PLAIN, jwt: token({ iss: ISSUERS[1], aud: ["web"], groups: ["admin", "dev"] }), entrance: 1 },
  { ...PLAIN, headers: [["X-Role", "admin"]] },
  {
    ...PLAIN,
    headers: [
      ["x-role", "user"],
      ["X-Role", "admin"],
    ],
  },
  { ...PLAIN, headers: [["X-Forwarded-For", "10.1.2.3"]] },
  { ...PLAIN, headers: [["X-Forwarded-For", "10.1.2.3, 192.168.4.5"]] },
  { ...PLAIN, headers: [["X-Forwarded-For", "not an address"]], from: "127.9.8.7" },
  { ...PLAIN, from: "127.9.8.7" },
  { ...PLAIN, entrance: 1 },
  { ...PLAIN, method: "DELETE", path: "/%61dmin" },
  { ...PLAIN, method: "HEAD", path: "/a/../admin" },
  { ...PLAIN, method: "OPTIONS", path: "//admin", client: account("shop", "web"), jwt: token() },
];

export interface ProbesOptions {
  readonly policies: readonly AuthorizationPolicy[];
  readonly entrances: Entrances;
  readonly seed: number;
  /** Sent in any case. */
  readonly given?: readonly Probe[] | undefined;
}

/** Different ones, at least `PROBES_MIN_COUNT`. */
export function probesFor({ policies, entrances, seed, given = [] }: ProbesOptions): readonly Probe[] {
  const branches = policies.flatMap((policy) => shuffled(branchesOf(policy), seed).slice(0, BRANCHES_MAX_COUNT));
  const around = branches.map((branch) => probesAround(branch, entrances, seed));
  const all = (kind: keyof Around): readonly Probe[] =>
    shuffled(
      around.flatMap((each) => each[kind]),
      seed,
    );
  const first = around.flatMap(({ hits }) => hits.slice(0, 1));
  const hits = all("hits").slice(0, HITS_MAX_COUNT);
  const chosen = [...given, PLAIN, ...first, ...hits, ...all("misses"), ...all("hits"), ...all("others")];
  const unique = new Map([...chosen, ...shuffled(GENERAL, seed)].map((probe) => [JSON.stringify(probe), probe]));
  return [...unique.values()].filter(isSendable).slice(0, Math.max(PROBES_MAX_COUNT, given.length));
}

/** Requests that a branch matches, that it misses in one condition, and in several. */
interface Around {
  readonly hits: readonly Probe[];
  readonly misses: readonly Probe[];
  readonly others: readonly Probe[];
}

function probesAround(branch: Branch, entrances: Entrances, seed: number): Around {
  const { conditions } = branch;
  const around = { hits: new Array<Probe>(), misses: new Array<Probe>(), others: new Array<Probe>() };
  const unmet = (probe: Probe): number => unmetOf(branch, requestOf(probe, entrances)).length;
  const sort = (probe: Probe): void => {
    if (!isSendable(probe)) return;
    const count = unmet(probe);
    (count === 0 ? around.hits : count === 1 ? around.misses : around.others).push(probe);
  };
  const build = (changes: readonly Change[]): Probe => changes.reduce((probe, change) => change(probe), PLAIN);
  const good = fc.tuple(...conditions.map((condition) => fc.constantFrom(...goodChanges(condition, entrances))));
  const attempts = fc.sample(good, { numRuns: ATTEMPTS_COUNT, seed });
  const base =
    attempts.find((changes) => isSendable(build(changes)) && unmet(build(changes)) === 0) ?? attempts[0] ?? [];
  sort(build(base));
  for (const [index, condition] of conditions.entries())
    for (const change of allChanges(condition, entrances)) sort(build(base.with(index, change)));
  return around;
}

/** What makes a condition hold, by itself. */
function goodChanges(condition: Condition, entrances: Entrances): readonly [Change, ...Change[]] {
  const { values, notValues } = condition;
  const hits = values.flatMap((value) => changesFor(condition, value, entrances).hits);
  const misses = notValues.flatMap((value) => changesFor(condition, value, entrances).misses);
  const [first = UNCHANGED, ...others] = values.length > 0 ? hits : [away(condition, notValues), UNCHANGED, ...misses];
  return [first, ...others];
}

function allChanges(condition: Condition, entrances: Entrances): readonly Change[] {
  const changes = [...condition.values, ...condition.notValues].map((value) => changesFor(condition, value, entrances));
  return [UNCHANGED, ...changes.flatMap(({ hits, misses }) => [...hits, ...misses])];
}

const UNCHANGED: Change = (probe) => probe;

function shuffled<T>(items: readonly T[], seed: number): readonly T[] {
  const length = items.length;
  const order = fc.shuffledSubarray([...items], { minLength: length, maxLength: length });
  return fc.sample(order, { numRuns: 1, seed })[0] ?? [];
}

/** Requests that are no HTTP, or have a token that nobody issues, do not reach the policies. */
function isSendable({ method, host, path, headers, sni, jwt, client }: Probe): boolean {
  return (
    METHODS.includes(method) &&
    /^[-\w.:[\]]+$/.test(host) &&
    /^\/[!-~]*$/.test(path) &&
    !/[#\\]|%(?![0-9a-f]{2})|%00/i.test(path) &&
    headers.every(([, value]) => /^[\t -~\x80-\xff]*$/.test(value)) &&
    (sni === undefined || /^[-\w]+(?:\.[-\w]+)*\.?$/.test(sni)) &&
    (client?.uri === undefined || /^[!-~]+$/.test(client.uri)) &&
    (jwt === undefined || ISSUERS.some((issuer) => issuer === jwt["iss"]))
  );
}
