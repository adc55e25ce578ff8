/** The filter's side of the table: the shipped module, pinned, with the signed policies of a group. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { pinModule } from "../../../xds-proxy/src/pin/pin-module.ts";
import type { PolicyKnobs } from "../../../xds-proxy/src/policy/types.ts";
import { shippedModule } from "../../host/shipped-module.ts";
import { newKeys, Owner, pinOf, TRUST_DOMAIN, type KeyRing, type Policy } from "../../scenarios/owner.ts";
import type { PolicySpec, TrustDomains } from "./group.ts";
import { WORKLOAD } from "./listeners.ts";
import type { Json } from "./native.ts";

export const ROOT_NAMESPACE = "istio-system";

export function policyOf({ name, dryRun, spec }: PolicySpec): Policy {
  return { name, spec, ...(dryRun === undefined ? {} : { annotations: { "istio.io/dry-run": dryRun } }) };
}

export interface EnforcedOptions {
  /** Unique in this Envoy: filters that share a vm_id share what they remember of a namespace. */
  readonly vmId: string;
  readonly policies: readonly PolicySpec[];
  readonly knobs: PolicyKnobs;
  readonly trustDomains?: TrustDomains | undefined;
}

/** The filters of deploy/envoy/listener.yaml that judge a request: wpgate, and the belt that sees that it was there. */
export class Enforcer {
  readonly #folder: string;
  readonly #team: KeyRing = newKeys();
  readonly #root: KeyRing = newKeys();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Enforcer> {
    return new Enforcer(await mkdtemp(join(tmpdir(), "wpgate-rbac-")));
  }

  async filters({ vmId, policies, knobs, trustDomains }: EnforcedOptions): Promise<readonly Json[]> {
    const [trustDomain, ...aliases] = trustDomains ?? [TRUST_DOMAIN];
    const settings = { ...knobs, trustDomain };
    const [team, root] = await Promise.all([
      Owner.create({ ns: WORKLOAD.NAMESPACE, keys: this.#team, root: settings }),
      Owner.create({ ns: ROOT_NAMESPACE, keys: this.#root, root: settings }),
    ]);
    const module = join(this.#folder, `${vmId}.wasm`);
    const pin = pinOf([team, root], ROOT_NAMESPACE, aliases.length === 0 ? undefined : aliases);
    await writeFile(module, pinModule(shippedModule(), pin));
    const bundles = await Promise.all([
      team.bundle({ policies: policies.filter(({ root }) => root !== true).map(policyOf) }),
      root.bundle({ policies: policies.filter(({ root }) => root === true).map(policyOf) }),
    ]);
    return [wasmFilter({ vmId, module, configuration: encodeBundle(bundles) }), BELT];
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function wasmFilter(options: { readonly vmId: string; readonly module: string; readonly configuration: string }): Json {
  return {
    name: "wpgate",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
      config: {
        name: "wpgate",
        failure_policy: "FAIL_CLOSED",
        vm_config: {
          vm_id: options.vmId,
          runtime: "envoy.wasm.runtime.v8",
          code: { local: { filename: options.module } },
        },
        configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: options.configuration },
      },
    },
  };
}

const BELT: Json = {
  name: "belt",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    rules_stat_prefix: "belt_",
    rules: {
      action: "ALLOW",
      policies: {
        "judged-by-wpgate": {
          permissions: [{ any: true }],
          principals: [{ filter_state: { key: "wasm.ok", string_match: { exact: "1" } } }],
        },
      },
    },
  },
};
