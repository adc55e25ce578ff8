/** `pin.json`: the trust root that a consumer is given where no carrier can write. */
import { isRecord, isTextList } from "../bytes/record.ts";
import { tryDecodeBase64Url } from "../bytes/base64url.ts";
import { isDnsName, isLabel } from "../envelope/names.ts";
import type { Pin } from "../envelope/types.ts";
import { ConfigError, type ConfigFault } from "../errors.ts";
import { TRUST_DOMAIN_ALIASES_MAX_COUNT } from "../gen/limits.ts";

export interface PinFile extends Pin {
  readonly role: "policy" | "ads";
  /** Other names of the trust domain; absent rather than empty. */
  readonly trustDomainAliases?: readonly string[];
  readonly rootNamespace: string;
}

const MEMBERS = ["role", "mesh", "trustDomain", "trustDomainAliases", "rootNamespace", "roots"];
const DIGEST_BYTES = 32;

/** @throws ConfigError with every fault. */
export function parsePin(text: string, source: string): PinFile {
  const faults: ConfigFault[] = [];
  const value = parseJson(text, source);
  const check = (right: boolean, path: string, message: string): void => {
    if (!right) faults.push({ path: `${source}: ${path}`, message });
  };
  const label = (name: string, mayBeEmpty: boolean): string => {
    const found = value[name];
    const right = typeof found === "string" && (isLabel(found) || (mayBeEmpty && found === ""));
    check(right, name, "must be a DNS label");
    return right ? found : "";
  };
  for (const name of Object.keys(value)) check(MEMBERS.includes(name), name, "unknown member");
  const { role, trustDomain, trustDomainAliases, roots } = value;
  check(role === "policy" || role === "ads", "role", "must be policy or ads");
  check(typeof trustDomain === "string" && isDnsName(trustDomain), "trustDomain", "must be a DNS name");
  const aliases = isTextList(trustDomainAliases) ? trustDomainAliases : [];
  check(
    trustDomainAliases === undefined || isAliasList(aliases, trustDomain),
    "trustDomainAliases",
    `must list 1 to ${TRUST_DOMAIN_ALIASES_MAX_COUNT} DNS names, each once, without trustDomain`,
  );
  check(isRecord(roots), "roots", "must map namespaces to root digests");
  for (const [ns, digest] of Object.entries(isRecord(roots) ? roots : {})) {
    const bytes = typeof digest === "string" ? tryDecodeBase64Url(digest)?.length : undefined;
    check(isLabel(ns) && bytes === DIGEST_BYTES, `roots.${ns}`, "must be a namespace and a base64url SHA-256");
  }
  const pin = {
    role: role === "ads" ? ("ads" as const) : ("policy" as const),
    mesh: label("mesh", false),
    trustDomain: typeof trustDomain === "string" ? trustDomain : "",
    ...aliasesMember(aliases),
    rootNamespace: label("rootNamespace", true),
    roots: Object.fromEntries(Object.entries(isRecord(roots) ? roots : {}).map(([ns, digest]) => [ns, String(digest)])),
  };
  if (faults.length > 0) throw new ConfigError(faults);
  return pin;
}

/** The member of a pin that holds aliases, where there are some. */
export function aliasesMember(aliases: readonly string[] | undefined): Pick<PinFile, "trustDomainAliases"> {
  return aliases === undefined || aliases.length === 0 ? {} : { trustDomainAliases: aliases };
}

function isAliasList(names: readonly string[], trustDomain: unknown): boolean {
  return (
    names.length > 0 &&
    names.length <= TRUST_DOMAIN_ALIASES_MAX_COUNT &&
    new Set([...names, trustDomain]).size === names.length + 1 &&
    names.every(isDnsName)
  );
}

/** One line, members in the order that the filter documents; no white space, so that it is short inside a module. */
export function encodePin({ role, mesh, trustDomain, trustDomainAliases, rootNamespace, roots }: PinFile): string {
  const sorted = Object.fromEntries(Object.entries(roots).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const aliases = aliasesMember(trustDomainAliases);
  return JSON.stringify({ role, mesh, trustDomain, ...aliases, rootNamespace, roots: sorted });
}

/** One pin for several namespaces of one mesh.
 *  @throws ConfigError when they are not of one mesh, or name two roots for one namespace. */
export function mergePins(pins: readonly [PinFile, ...PinFile[]]): PinFile {
  const [first] = pins;
  const roots = new Map<string, string>();
  for (const pin of pins) {
    for (const member of MEMBERS_IN_COMMON) {
      const [here, there] = [first[member], pin[member]].map(spell);
      if (here !== there) throw new ConfigError([{ path: member, message: `is ${here} here and ${there} there` }]);
    }
    for (const [ns, digest] of Object.entries(pin.roots)) {
      if ((roots.get(ns) ?? digest) !== digest)
        throw new ConfigError([{ path: `roots.${ns}`, message: "is one root here and another there" }]);
      roots.set(ns, digest);
    }
  }
  return { ...first, roots: Object.fromEntries(roots) };
}

const MEMBERS_IN_COMMON = ["role", "mesh", "trustDomain", "trustDomainAliases", "rootNamespace"] as const;

/** Aliases in any order are the same. */
function spell(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : (value?.toSorted().join(", ") ?? "none");
}

function parseJson(text: string, source: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Falls through: whatever it is, it is not a pin.
  }
  throw new ConfigError([{ path: source, message: "is not a pin: not one JSON object" }]);
}
