/** The policies that a command evaluates: verified ones out of bundles, or sources that are still to be signed. */
import { parsePolicy } from "../policy/parse.ts";
import type { AuthorizationPolicy, PolicyKnobs, PolicyNode } from "../policy/types.ts";
import type { Recipient } from "../envelope/types.ts";
import { VerifyError } from "../errors.ts";
import { parseBundle, type NamespaceBundle } from "../owner/bundle.ts";
import { verifyBundle } from "../owner/verify-bundle.ts";
import { parsePin, type PinFile } from "../owner/pin.ts";
import type { CliContext } from "./context.ts";
import { Hinted } from "./failure.ts";
import { readTextInput } from "./files.ts";
import { loadExchangeKey } from "./key-files.ts";
import { readObjectInputs } from "./objects-input.ts";
import { openOwnerFolder, readBundle, readOwnPublished } from "./owner-folder.ts";

export interface PoliciesOptions {
  readonly dir: string;
  readonly sources: readonly string[];
  readonly bundle?: readonly string[];
  readonly pin?: string;
  readonly recipient?: string;
}

export interface PoliciesInput {
  readonly policies: readonly AuthorizationPolicy[];
  readonly node: Omit<PolicyNode, "labels">;
  readonly knobs: PolicyKnobs;
}

/** @throws VerifyError for a bundle that the folder's pin does not vouch for, or a policy that the filter refuses */
export async function loadPolicies(context: CliContext, options: PoliciesOptions): Promise<PoliciesInput> {
  const folder = openOwnerFolder(context, options.dir);
  const { namespace, rootNamespace, trustDomain } = folder.config;
  const recipient = options.recipient === undefined ? undefined : await loadExchangeKey(context, options.recipient);
  const root = readOwnPublished(folder).root.document;
  const pin = options.pin === undefined ? folder.pin : parsePin(await readTextInput(context, options.pin), options.pin);
  const own =
    options.sources.length > 0
      ? (await readObjectInputs(context, options.sources, namespace)).map(({ data }) => data)
      : verified(context, readBundle(folder), { pin, recipient });
  const others = await Promise.all(
    (options.bundle ?? []).map(async (path) => parseBundle(await readTextInput(context, path), path).sets),
  );
  return {
    policies: [...own, ...others.flat().flatMap((set) => verified(context, set, { pin, recipient }))].map(policyOf),
    node: { namespace, rootNamespace, trustDomain },
    knobs: { default: root.default, paths: root.paths },
  };
}

function verified(
  context: CliContext,
  bundle: NamespaceBundle,
  trust: { readonly pin: PinFile; readonly recipient: Recipient | undefined },
): readonly Uint8Array[] {
  const verdict = verifyBundle({ ...trust, bundle, nowMs: context.nowMs(), states: new Map() });
  if (verdict.result !== "ok")
    throw new Hinted(
      new VerifyError(verdict.result, verdict.reason, { where: verdict.where }),
      "only what a consumer would accept is explained; for sealed policies give --recipient FILE",
    );
  return verdict.objects.map(({ data }) => data);
}

function policyOf(data: Uint8Array): AuthorizationPolicy {
  const { policy, faults } = parsePolicy(data);
  if (policy !== undefined) return policy;
  const [{ code, where, message }] = faults;
  throw new VerifyError(code, message, { where });
}
