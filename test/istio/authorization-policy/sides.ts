/**
 * Two workloads of the same name, labels and mesh: to one of them istiod sends AuthorizationPolicies as it does
 * everywhere, to the other it sends only a WasmPlugin with the same objects, signed. Two istiods read one API server; each
 * is told to overlook the other's kind.
 */
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { policyOf } from "../../e2e/rbac/enforced.ts";
import { deny, when, type PolicySpec } from "../../e2e/rbac/group.ts";
import { policyData } from "../../scenarios/owner.ts";
import type { KubernetesObject } from "./api-client.ts";
import type { Answer } from "../../scenarios/http-answer.ts";
import { Opened } from "./opened.ts";
import { openSides, type Parts } from "./opening.ts";
import { outcomeOf } from "./outcome.ts";
import { NAMESPACE, ROOT_NAMESPACE, SIDES, type Entrances, type Side } from "./place.ts";
import { account, PLAIN, type Probe } from "./probe.ts";

export type Answers = Readonly<Record<Side, Answer>>;

/** Names no other policy has; as the first of all in Istio's order it is the one that Envoy names. */
const MARKER = "0-marker";
const ENFORCED_TIMEOUT_MS = 60_000;

export class Sides {
  readonly #parts: Parts;
  #version = 0;
  #present: readonly KubernetesObject[] = [];

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async start(entrances: Entrances): Promise<Sides> {
    const opened = new Opened();
    try {
      return new Sides(await openSides(entrances, opened));
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  /** Puts exactly these policies in force on both sides, and returns when they are. */
  async enforce(policies: readonly PolicySpec[]): Promise<void> {
    const version = String(++this.#version);
    const marker = { ...deny(when("request.headers[x-marker]", [version])), name: MARKER, root: true };
    await Promise.all([this.#applyNative(policies, marker), this.#applySigned([...policies, marker], version)]);
    for (const side of SIDES) await this.#isEnforced(side, version);
  }

  /** Signs these as an owner would who has no `wpgate`, and returns what the filter says when they are delivered. */
  async refusal(policies: readonly PolicySpec[]): Promise<string> {
    const { log } = this.#parts.workloads.signed.envoy;
    const from = log.count;
    await this.#applySigned(policies, String(++this.#version));
    const line = await log.waitFor(/wpgate: refused [A-Z_]+/, { from, timeoutMs: ENFORCED_TIMEOUT_MS });
    return /refused ([A-Z_]+)/.exec(line)?.[1] ?? "";
  }

  async ask(probe: Probe): Promise<Answers> {
    const [native, signed] = await Promise.all(SIDES.map((side) => this.#ask(side, probe)));
    if (native === undefined || signed === undefined) throw new Error("one side is missing");
    return { native, signed };
  }

  /** What istiod made of the policies for one side: Envoy's RBAC filters of its first listener. */
  async rbac(side: Side): Promise<readonly unknown[]> {
    const found: unknown[] = [];
    const look = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      const type = (value as Readonly<Record<string, unknown>>)["@type"];
      if (typeof type === "string" && type.endsWith("rbac.v3.RBAC")) found.push(value);
      else for (const inner of Object.values(value)) look(inner);
    };
    look(await this.#parts.workloads[side].envoy.admin.configDump());
    return [...new Map(found.map((filter) => [JSON.stringify(filter), filter])).values()];
  }

  async stop(): Promise<void> {
    await this.#parts.opened.close();
  }

  /** istiod hears of changes of one kind in their order: what it makes of the marker it makes of all before. */
  async #applyNative(policies: readonly PolicySpec[], marker: PolicySpec): Promise<void> {
    const { api } = this.#parts;
    const objects = policies.map(nativeObject);
    const kept = new Set(objects.map(keyOf));
    const gone = this.#present.filter((object) => !kept.has(keyOf(object)));
    this.#present = objects;
    await Promise.all([...objects.map((object) => api.apply(object)), ...gone.map((object) => api.remove(object))]);
    await api.apply(nativeObject(marker));
  }

  async #applySigned(policies: readonly PolicySpec[], ver: string): Promise<void> {
    const { owners, module, api } = this.#parts;
    const bundles = await Promise.all([
      owners.team.bundle({ ver, policies: policies.filter(({ root }) => root !== true).map(policyOf) }),
      owners.root.bundle({ ver, policies: policies.filter(({ root }) => root === true).map(policyOf) }),
    ]);
    const plugin = module.plugin({ namespace: NAMESPACE, selector: {}, bundles });
    await api.apply(plugin as unknown as KubernetesObject);
  }

  /** In each filter chain of each listener: they change one after the other. */
  async #isEnforced(side: Side, version: string): Promise<void> {
    const marked: Probe = { ...PLAIN, headers: [["x-marker", version]] };
    for (const entrance of [0, 1] as const)
      for (const client of [undefined, account("default", "marker")]) {
        let seen = "";
        await until({
          what: `version ${version} in force (${side})`,
          timeoutMs: ENFORCED_TIMEOUT_MS,
          intervalMs: 4,
          context: () => `${seen}\n${this.#parts.workloads[side].envoy.log.tail(5)}`,
          probe: async () => {
            const answer = await this.#ask(side, { ...marked, entrance, client }).catch((error: unknown) => error);
            if (answer instanceof Error) seen = String(answer);
            else if (outcomeOf(side, answer as Answer).rule.includes(`[${MARKER}]`)) return true;
            else seen = JSON.stringify([(answer as Answer).status, ...(answer as Answer).headers]);
            return undefined;
          },
        });
      }
  }

  async #ask(side: Side, probe: Probe): Promise<Answer> {
    const { addresses, port } = this.#parts.entrances[probe.entrance];
    return await this.#parts.client.send({ host: addresses[side], port }, probe);
  }
}

/** The very bytes that an owner signs. */
function nativeObject(policy: PolicySpec): KubernetesObject {
  const namespace = policy.root === true ? ROOT_NAMESPACE : NAMESPACE;
  return JSON.parse(Buffer.from(policyData(namespace, policyOf(policy))).toString("utf8")) as KubernetesObject;
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
