/**
 * `wpgate.yaml`, the one configuration file of a namespace owner's folder: who the owner is and where the signers are.
 * It holds no secret; keys are named by the path of their file.
 */
import { isRecord } from "../bytes/record.ts";
import { ConfigError } from "../errors.ts";
import { TRUST_DOMAIN_ALIASES_MAX_COUNT } from "../gen/limits.ts";
import { Checker, type TextRule } from "./checker.ts";
import { parseDurationSec } from "./duration.ts";

export const SIGNER_ROLES = ["root", "cfg", "fresh"] as const;
export type SignerRole = (typeof SIGNER_ROLES)[number];

/** A private key in a file, or a program that signs with a key that it does not hand out. */
export type SignerSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "exec"; readonly command: string; readonly publicKey: string };

export interface OwnerConfig {
  readonly namespace: string;
  readonly mesh: string;
  readonly trustDomain: string;
  /** Other names of the trust domain, as in the mesh's own configuration. */
  readonly trustDomainAliases: readonly string[];
  readonly rootNamespace: string;
  /** `mailto:` or `https:`, goes into the claim `sub`. */
  readonly contact: string;
  readonly signers: Readonly<Record<SignerRole, readonly SignerSource[]>>;
  readonly lifetimeSec: { readonly root: number; readonly cfg: number };
}

export const LABEL: TextRule = { pattern: /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, expected: "a DNS label" };
const DNS_NAME: TextRule = {
  pattern: /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/,
  expected: "a DNS name",
};
export const CONTACT: TextRule = { pattern: /^(?:mailto|https):\S+$/, expected: "a mailto: or https: address" };
const PATH: TextRule = { pattern: /^[^\n]+$/, expected: "a path" };

export const DEFAULT_ROOT_NAMESPACE = "istio-system";
export const DEFAULT_LIFETIME_DAYS = 90;
const MEMBERS = [
  ...["wpgate", "namespace", "mesh", "trustDomain", "trustDomainAliases", "rootNamespace", "contact", "signers"],
  "lifetime",
];

/** @throws ConfigError with every fault; paths begin with `source`. */
export function parseOwnerConfig(value: unknown, source: string): OwnerConfig {
  const checker = new Checker();
  const file = checker.object(value, "", MEMBERS);
  if (file["wpgate"] !== 1) checker.fault("wpgate", "must be 1, the version of this file's format");
  const config: OwnerConfig = {
    namespace: checker.text(file["namespace"], "namespace", LABEL),
    mesh: checker.text(file["mesh"], "mesh", LABEL),
    trustDomain: checker.text(file["trustDomain"], "trustDomain", DNS_NAME),
    trustDomainAliases: readAliases(checker, file["trustDomainAliases"], file["trustDomain"]),
    rootNamespace: checker.text(file["rootNamespace"] ?? DEFAULT_ROOT_NAMESPACE, "rootNamespace", LABEL),
    contact: checker.text(file["contact"], "contact", CONTACT),
    signers: readSigners(checker, file["signers"]),
    lifetimeSec: readLifetime(checker, file["lifetime"]),
  };
  if (checker.faults.length > 0) {
    throw new ConfigError(
      checker.faults.map(({ path, message }) => ({ path: `${source}: ${path || "(all)"}`, message })),
    );
  }
  return deepFreeze(config);
}

/** The text that `wpgate root init` writes; `parseOwnerConfig` reads it back. */
export function writeOwnerConfig(config: OwnerConfig): string {
  const days = (seconds: number): string => `${Math.trunc(seconds / 86_400)}d`;
  return `# Who owns this folder and with which keys it signs. No secret is in here.
wpgate: 1
namespace: ${config.namespace}
mesh: ${config.mesh}
trustDomain: ${config.trustDomain}
${writeAliases(config.trustDomainAliases)}rootNamespace: ${config.rootNamespace}
contact: ${JSON.stringify(config.contact)}

# Paths are relative to this file. A key in a KMS or HSM: - {exec: "command", publicKey: keys/cfg.pub.pem}
signers:
${SIGNER_ROLES.map((role) => `  ${role}:\n${config.signers[role].map(writeSigner).join("")}`).join("")}
lifetime:
  root: ${days(config.lifetimeSec.root)}
  cfg: ${days(config.lifetimeSec.cfg)} # statements and the set
`;
}

function writeAliases(aliases: readonly string[]): string {
  return aliases.length === 0
    ? ""
    : `trustDomainAliases: [${aliases.map((name) => JSON.stringify(name)).join(", ")}]\n`;
}

function writeSigner(signer: SignerSource): string {
  if (signer.kind === "file") return `    - ${JSON.stringify(signer.path)}\n`;
  return `    - {exec: ${JSON.stringify(signer.command)}, publicKey: ${JSON.stringify(signer.publicKey)}}\n`;
}

function readAliases(checker: Checker, value: unknown, trustDomain: unknown): readonly string[] {
  const path = "trustDomainAliases";
  const given = checker.list(value ?? [], path);
  if (given.length > TRUST_DOMAIN_ALIASES_MAX_COUNT)
    checker.fault(path, `must list at most ${TRUST_DOMAIN_ALIASES_MAX_COUNT}`);
  if (new Set(given).size < given.length) checker.fault(path, "must list each name once");
  if (given.some((name) => name === trustDomain)) checker.fault(path, "must not list trustDomain itself");
  return given.map((name, index) => checker.text(name, `${path}[${index}]`, DNS_NAME));
}

function readSigners(checker: Checker, value: unknown): OwnerConfig["signers"] {
  const all = checker.object(value, "signers", SIGNER_ROLES);
  const read = (role: SignerRole): readonly SignerSource[] =>
    checker
      .list(all[role] ?? [], `signers.${role}`)
      .map((item, index) => readSigner(checker, item, `signers.${role}[${index}]`));
  return { root: read("root"), cfg: read("cfg"), fresh: read("fresh") };
}

function readSigner(checker: Checker, value: unknown, path: string): SignerSource {
  if (!isRecord(value)) return { kind: "file", path: checker.text(value, path, PATH) };
  const program = checker.object(value, path, ["exec", "publicKey"]);
  return {
    kind: "exec",
    command: checker.text(program["exec"], `${path}.exec`, { pattern: /\S/, expected: "a command" }),
    publicKey: checker.text(program["publicKey"], `${path}.publicKey`, PATH),
  };
}

function readLifetime(checker: Checker, value: unknown): OwnerConfig["lifetimeSec"] {
  const all = checker.object(value ?? {}, "lifetime", ["root", "cfg"]);
  const read = (name: "root" | "cfg"): number => {
    const given = all[name] ?? `${DEFAULT_LIFETIME_DAYS}d`;
    const seconds = typeof given === "string" ? parseDurationSec(given) : undefined;
    if (seconds === undefined) checker.fault(`lifetime.${name}`, "must be a length of time such as 90d or 24h");
    return seconds ?? 0;
  };
  return { root: read("root"), cfg: read("cfg") };
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}
