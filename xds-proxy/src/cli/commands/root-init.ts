/** `wpgate root init`: an owner's folder with keys, the first root, and the pin that names it. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { loadOwnerConfig } from "../../config/load.ts";
import {
  DEFAULT_LIFETIME_DAYS,
  DEFAULT_ROOT_NAMESPACE,
  parseOwnerConfig,
  SIGNER_ROLES,
  writeOwnerConfig,
  type OwnerConfig,
  type SignerRole,
} from "../../config/schema.ts";
import { aliasesMember, encodePin, type PinFile } from "../../owner/pin.ts";
import { readPublished } from "../../owner/published.ts";
import { DEFAULT_SETTINGS, rootKeys, signRoot, type RootSettings } from "../../owner/root.ts";
import type { CliContext } from "../context.ts";
import { usageError } from "../failure.ts";
import { createFile, replaceFile, shownPath } from "../files.ts";
import { createSigningKey } from "../key-files.ts";
import { collect, dirOption, example } from "../options.ts";
import { FILES, writeBundle } from "../owner-folder.ts";
import { addSettingOptions, settingsOf, type SettingOptions } from "../root-settings.ts";
import { signersFor } from "../signers.ts";
import { note } from "../ui.ts";

interface Options extends SettingOptions {
  readonly dir: string;
  readonly namespace?: string;
  readonly mesh?: string;
  readonly trustDomain: string;
  readonly trustDomainAlias?: readonly string[];
  readonly rootNamespace: string;
  readonly contact?: string;
}

export function rootInitCommand(context: CliContext): Command {
  const command = new Command("init")
    .summary("begin: keys, the first root, the pin")
    .description(
      "Makes an owner's folder: wpgate.yaml, the keys that are not there yet, root 1 in bundle.json, pin.json.\n" +
        "An existing wpgate.yaml is taken as it is, with signers that may be elsewhere (HSM, KMS).\n" +
        "Prints the pin: what every consumer must be given by a way that the control plane can not write.",
    )
    .addOption(dirOption())
    .addOption(new Option("--namespace <name>", "the namespace that this folder speaks for"))
    .addOption(new Option("--mesh <name>", "the mesh it belongs to"))
    .addOption(new Option("--trust-domain <name>", "the mesh's trust domain").default("cluster.local"))
    .addOption(
      new Option("--trust-domain-alias <name>", "another name of the trust domain; can be repeated").argParser(collect),
    )
    .addOption(new Option("--root-namespace <name>", "where mesh-wide policies live").default(DEFAULT_ROOT_NAMESPACE))
    .addOption(new Option("--contact <uri>", "mailto: or https: address of who to ask"));
  addSettingOptions(command).action(async (options: Options) => {
    await init(context, options);
  });
  return example(
    command,
    "wpgate root init -C team-a --namespace team-a --mesh prod --contact mailto:team-a@example.com > pin.json",
  );
}

/** What must not get into a repository together with the rest of the folder. */
const IGNORED = `${FILES.keys}/*.pem\n!${FILES.keys}/*.pub.pem\n${FILES.recipients}/\n*.lock\n`;

async function init(context: CliContext, options: Options): Promise<void> {
  const path = resolve(context.cwd, options.dir);
  if (existsSync(join(path, FILES.bundle)))
    throw usageError(
      options.dir,
      `has a root already (${FILES.bundle})`,
      "change it with wpgate root rotate or root change",
    );
  const config = configOf(context, path, options);
  makeMissingKeys(context, path, config);
  const settings: RootSettings = { ...DEFAULT_SETTINGS, ...settingsOf(options) };
  const folder = { path, config, pin: pinOf(config, {}) };
  const signers = await signersFor(context, folder, "root");
  const keys = await Promise.all(
    SIGNER_ROLES.map(async (role) =>
      (await signersForOptional(context, folder, role)).map(({ publicKey }) => ({ role, publicKey })),
    ),
  );
  const { namespace: ns, mesh, trustDomain } = config;
  const root = await signRoot({
    document: {
      ...{ ns, mesh, trustDomain, ep: 1, minEp: 1, keys: rootKeys(keys.flat()) },
      thresholds: { root: 1, cfg: 1, fresh: 1, push: 1, ...options.threshold },
      ...settings,
    },
    ...{ sub: config.contact, nowMs: context.nowMs(), lifetimeSec: config.lifetimeSec.root, signers },
  });
  const bundle = { roots: [root.text], envelopes: [] };
  readPublished({ pin: pinOf(config, { [ns]: root.digest }), ns, bundle });
  const pin = `${encodePin(pinOf(config, { [ns]: root.digest }))}\n`;
  replaceFile({ path: join(path, FILES.pin), content: pin });
  replaceFile({ path: join(path, ".gitignore"), content: IGNORED });
  writeBundle(folder, bundle);
  note(context, `root 1 of ${ns} is in ${join(options.dir, FILES.bundle)}; keep ${FILES.keys}/root.pem offline`);
  note(context, `next: wpgate sign -C ${options.dir} FILE|FOLDER`);
  context.stdout(pin);
}

async function signersForOptional(
  context: CliContext,
  folder: Parameters<typeof signersFor>[1],
  role: SignerRole,
): Promise<readonly { readonly publicKey: Uint8Array }[]> {
  return folder.config.signers[role].length === 0 ? [] : await signersFor(context, folder, role);
}

function pinOf(config: OwnerConfig, roots: PinFile["roots"]): PinFile {
  const { mesh, trustDomain, trustDomainAliases, rootNamespace } = config;
  return { role: "policy", mesh, trustDomain, ...aliasesMember(trustDomainAliases), rootNamespace, roots };
}

function configOf(context: CliContext, path: string, options: Options): OwnerConfig {
  const file = join(path, FILES.config);
  if (existsSync(file)) return loadOwnerConfig(path);
  const day = DEFAULT_LIFETIME_DAYS * 86_400;
  const config: OwnerConfig = {
    namespace: required(options.namespace, "--namespace"),
    mesh: required(options.mesh, "--mesh"),
    trustDomain: options.trustDomain,
    trustDomainAliases: options.trustDomainAlias ?? [],
    rootNamespace: options.rootNamespace,
    contact: required(options.contact, "--contact"),
    signers: { root: [keyFile("root")], cfg: [keyFile("cfg")], fresh: [keyFile("fresh")] },
    lifetimeSec: { root: day, cfg: day },
  };
  checkFlags(config);
  createFile({ path: file, content: writeOwnerConfig(config) });
  return config;
}

function keyFile(role: SignerRole): OwnerConfig["signers"]["root"][number] {
  return { kind: "file", path: `${FILES.keys}/${role}.pem` };
}

function required(value: string | undefined, flag: string): string {
  if (value === undefined) throw usageError(flag, "is missing", "see wpgate root init --help");
  return value;
}

/** The same rules as for the file, under the names of the flags. */
function checkFlags(config: OwnerConfig): void {
  const { namespace, mesh, trustDomain, trustDomainAliases, rootNamespace, contact } = config;
  const flags = { namespace, mesh, trustDomain, trustDomainAliases, rootNamespace, contact };
  parseOwnerConfig({ wpgate: 1, ...flags, signers: {} }, "command line");
}

function makeMissingKeys(context: CliContext, path: string, config: OwnerConfig): void {
  for (const signer of SIGNER_ROLES.flatMap((role) => config.signers[role])) {
    const file = signer.kind === "file" ? resolve(path, signer.path) : undefined;
    if (file === undefined || existsSync(file)) continue;
    const { keyId } = createSigningKey({ path: file, force: false });
    note(context, `made key ${keyId}: ${shownPath(context, file)}`);
  }
}
