/** The policies that a command evaluates: verified ones out of bundles, or sources that are still to be signed. */
import type { RootDocument } from "../envelope/documents.ts";
import type { Recipient } from "../envelope/types.ts";
import { VerifyError } from "../errors.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";
import { isGuard } from "../owner/content.ts";
import { parsePin, type PinFile } from "../owner/pin.ts";
import { verifyBundle, type GoodBundle } from "../owner/verify-bundle.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { AuthorizationPolicy, PolicyKnobs, PolicyNode } from "../policy/types.ts";
import { readBundleInput } from "./bundle-input.ts";
import type { CliContext } from "./context.ts";
import { Hinted, usageError } from "./failure.ts";
import { readTextInput } from "./files.ts";
import { loadExchangeKey } from "./key-files.ts";
import { readObjectInputs } from "./objects-input.ts";
import { openOwnerFolder, readBundle, readOwnPublished, refuseOtherAliases } from "./owner-folder.ts";

export interface PoliciesOptions {
  readonly dir: string;
  readonly sources: readonly string[];
  readonly bundle?: readonly string[];
  /** Given, the owner's folder is not looked at. */
  readonly pin?: string;
  readonly recipient?: string;
}

export interface PoliciesInput {
  readonly policies: readonly AuthorizationPolicy[];
  readonly node: Omit<PolicyNode, "labels">;
  readonly knobs: PolicyKnobs;
}

/** One namespace: what it publishes, or wants to, under which root. */
interface Part {
  readonly ns: string;
  readonly root: RootDocument;
  readonly policies: readonly Uint8Array[];
}

/** @throws VerifyError for a bundle that the pin does not vouch for, or a policy that the filter refuses */
export async function loadPolicies(context: CliContext, options: PoliciesOptions): Promise<PoliciesInput> {
  const recipient = options.recipient === undefined ? undefined : await loadExchangeKey(context, options.recipient);
  const given = await Promise.all((options.bundle ?? []).map((path) => readBundleInput(context, path)));
  const { pin, own } = await ownPart(context, options, recipient);
  const parts = [
    ...own,
    ...given.flatMap(({ sets }) => sets).map((bundle) => partOf(verified(context, bundle, { pin, recipient }))),
  ];
  const [first] = parts;
  if (first === undefined) throw usageError("--bundle", "is missing", "with --pin, say which bundles count");
  return {
    policies: parts.flatMap((part) => part.policies.map(policyOf)),
    node: {
      namespace: first.ns,
      rootNamespace: pin.rootNamespace,
      trustDomain: pin.trustDomain,
      trustDomainAliases: pin.trustDomainAliases,
    },
    // As in the filter: where owners ask for different things, the stricter one wins.
    knobs: {
      default: parts.some(({ root }) => root.default === "deny") ? "deny" : "istio",
      paths: parts.some(({ root }) => root.paths === "strict") ? "strict" : "istio",
    },
  };
}

interface OwnPart {
  readonly pin: PinFile;
  readonly own: readonly Part[];
}

async function ownPart(
  context: CliContext,
  { pin, dir, sources }: PoliciesOptions,
  recipient: Recipient | undefined,
): Promise<OwnPart> {
  if (pin !== undefined) {
    if (sources.length > 0) throw usageError("--pin", "is for bundles, not for sources", "leave one of them out");
    return { pin: parsePin(await readTextInput(context, pin), pin), own: [] };
  }
  const folder = openOwnerFolder(context, dir);
  refuseOtherAliases(context, folder);
  if (sources.length === 0)
    return { pin: folder.pin, own: [partOf(verified(context, readBundle(folder), { pin: folder.pin, recipient }))] };
  const { namespace: ns } = folder.config;
  const objects = await readObjectInputs(context, sources, ns);
  const root = readOwnPublished(folder).root.document;
  return { pin: folder.pin, own: [{ ns, root, policies: policiesIn(objects) }] };
}

function partOf({ ns, root, objects }: GoodBundle): Part {
  return { ns, root, policies: policiesIn(objects) };
}

/** Guards decide no requests. */
function policiesIn(objects: readonly { readonly rt: string; readonly data: Uint8Array }[]): readonly Uint8Array[] {
  return objects.filter(({ rt }) => !isGuard(rt)).map(({ data }) => data);
}

function verified(
  context: CliContext,
  bundle: NamespaceBundle,
  trust: { readonly pin: PinFile; readonly recipient: Recipient | undefined },
): GoodBundle {
  const verdict = verifyBundle({ ...trust, bundle, nowMs: context.nowMs(), states: new Map() });
  if (verdict.result === "ok") return verdict;
  throw new Hinted(
    new VerifyError(verdict.result, verdict.reason, { where: verdict.where }),
    "only what a consumer would accept is explained; for sealed policies give --recipient FILE",
  );
}

function policyOf(data: Uint8Array): AuthorizationPolicy {
  const { policy, faults } = parsePolicy(data);
  if (policy !== undefined) return policy;
  const [{ code, where, message }] = faults;
  throw new VerifyError(code, message, { where });
}
