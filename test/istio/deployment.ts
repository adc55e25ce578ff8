/** What the tests of deploy/kubernetes do with its folders: build, apply, and edit as somebody. */
import { parseAllDocuments } from "yaml";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { UpstreamError } from "../../xds-proxy/src/errors.ts";
import type { Lab } from "../lab/lab.ts";

/** Somebody whom the lab's admin impersonates; RBAC and admission see him, not the admin. */
export interface Identity {
  readonly user: string;
  readonly groups?: readonly string[];
}

/** Makes namespaces and grants what there is to grant. */
export const ADMIN: Identity = { user: "alice", groups: ["system:masters"] };
export const PLATFORM: Identity = { user: "pat", groups: ["wpgate:platform"] };
/** As the Role in deploy/kubernetes/namespace has it. */
export const EDITOR: Identity = { user: "erin", groups: ["team-a:editors"] };
/** An editor of a careless cluster: his role says `*`. */
export const BROAD: Identity = { user: "bob", groups: ["broad"] };

export const account = (namespace: string, name: string): Identity => ({
  user: `system:serviceaccount:${namespace}:${name}`,
});

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [more: string]: unknown };
  readonly [more: string]: unknown;
}

/** A member of an object's member and so on. */
export function at(object: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Readonly<Record<string | number, unknown>>)[key], object);
}

const folderOf = (name: string): string => projectFile(`deploy/kubernetes/${name}`);

/** kubectl as somebody, with the text that it is given on stdin. */
export async function kubectlAs(lab: Lab, who: Identity, args: readonly string[], stdin?: unknown): Promise<string> {
  const groups = (who.groups ?? []).map((group) => `--as-group=${group}`);
  const input = stdin === undefined ? {} : { stdin: typeof stdin === "string" ? stdin : JSON.stringify(stdin) };
  return await lab.kubectl([`--as=${who.user}`, ...groups, ...args], input);
}

/** What the API server says no with. */
export async function refusalOf(lab: Lab, who: Identity, args: readonly string[], stdin?: unknown): Promise<string> {
  try {
    const output = await kubectlAs(lab, who, args, stdin);
    throw new Error(`kubectl ${args.join(" ")} is not refused: ${output}`);
  } catch (error) {
    if (error instanceof UpstreamError) return error.message;
    throw error;
  }
}

/** What kustomize makes of a folder. */
export async function build(lab: Lab, folder: string): Promise<readonly KubernetesObject[]> {
  const documents = parseAllDocuments(await lab.kubectl(["kustomize", folderOf(folder)]));
  return documents.map((document) => document.toJS() as KubernetesObject);
}

/** With server-side apply, as the platform team where nobody is named. */
export async function applyFolder(lab: Lab, folder: string, who: Identity = PLATFORM): Promise<string> {
  const manager = `--field-manager=${who === PLATFORM ? "wpgate-platform" : who.user}`;
  return await kubectlAs(lab, who, ["apply", "--server-side", manager, "-k", folderOf(folder)]);
}

export async function get(lab: Lab, kind: string, name: string, namespace: string): Promise<KubernetesObject> {
  const args = ["get", kind, name, "-n", namespace, "-o", "json", "--show-managed-fields"];
  return JSON.parse(await lab.kubectl(args)) as KubernetesObject;
}

/** Waits until RBAC, which the API server reads a moment after it has stored it, grants something. */
export async function untilAllowed(
  lab: Lab,
  who: Identity,
  options: { readonly verb: string; readonly resource: string; readonly namespace: string },
): Promise<void> {
  const { verb, resource, namespace } = options;
  await until({
    what: `${who.user} being allowed to ${verb} ${resource}`,
    timeoutMs: 60_000,
    intervalMs: 100,
    probe: async () =>
      await kubectlAs(lab, who, ["auth", "can-i", verb, resource, "-n", namespace]).then(
        () => true,
        () => undefined,
      ),
  });
}

/** Everything in a namespace, for the group of `BROAD`. */
export async function grantEverything(lab: Lab, namespace: string): Promise<void> {
  const metadata = { name: "broad", namespace };
  const group = "rbac.authorization.k8s.io";
  await lab.apply(
    {
      ...{ apiVersion: `${group}/v1`, kind: "Role", metadata },
      rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
    },
    {
      ...{ apiVersion: `${group}/v1`, kind: "RoleBinding", metadata },
      roleRef: { apiGroup: group, kind: "Role", name: "broad" },
      subjects: [{ apiGroup: group, kind: "Group", name: "broad" }],
    },
  );
  await untilAllowed(lab, BROAD, { verb: "*", resource: "*", namespace });
}

/** The API server takes an admission policy up a moment after it has stored it. */
export async function untilRefused(lab: Lab, who: Identity, args: readonly string[], stdin?: unknown): Promise<void> {
  await until({
    what: `kubectl ${args.join(" ")} being refused`,
    timeoutMs: 60_000,
    intervalMs: 100,
    probe: async () =>
      await kubectlAs(lab, who, [...args, "--dry-run=server"], stdin).then(
        () => undefined,
        (error: unknown) => (/ValidatingAdmissionPolicy/.test(String(error)) ? true : undefined),
      ),
  });
}
