/** Brings up everything that both sides need. */
import { startBackend } from "../../../xds-proxy/src/demo/backend.ts";
import { TokenIssuer } from "../../e2e/rbac/json-web-token.ts";
import { grpcCluster } from "../../lab/bootstrap.ts";
import { Istiod } from "../../lab/istiod.ts";
import { Lab } from "../../lab/lab.ts";
import { PinnedModule } from "../../lab/plugin.ts";
import { Workload } from "../../lab/workload.ts";
import { Authority } from "../../scenarios/certificates.ts";
import { Owner, pinOf } from "../../scenarios/owner.ts";
import { ApiClient } from "./api-client.ts";
import { Client } from "./client.ts";
import { commonObjects, sidecar } from "./objects.ts";
import type { Opened } from "./opened.ts";
import {
  LABELS,
  NAMESPACE,
  ROOT_NAMESPACE,
  TRUST_DOMAIN,
  TRUST_DOMAIN_ALIASES,
  type Entrances,
  type Side,
} from "./place.ts";
import { account } from "./probe.ts";
import { SecretServer } from "./secret-server.ts";

const ISTIO = { default: "istio", paths: "istio", trustDomain: TRUST_DOMAIN } as const;
const MESH = { trustDomain: TRUST_DOMAIN, trustDomainAliases: TRUST_DOMAIN_ALIASES };
/** The kind that the istiod of a side is told to overlook: that of the other side. */
const OVERLOOKED: Readonly<Record<Side, string>> = {
  native: "wasmplugins.extensions.istio.io",
  signed: "authorizationpolicies.security.istio.io",
};

export interface Parts {
  readonly opened: Opened;
  readonly entrances: Entrances;
  readonly module: PinnedModule;
  readonly owners: { readonly team: Owner; readonly root: Owner };
  readonly api: ApiClient;
  readonly client: Client;
  readonly workloads: Readonly<Record<Side, Workload>>;
}

/** @param opened - closes all of it, also when this fails half-way */
export async function openSides(entrances: Entrances, opened: Opened): Promise<Parts> {
  const lab = opened.add(await Lab.start({ mesh: MESH, istiodEnvironment: environmentOf("native") }), (it) =>
    it.stop(),
  );
  const second = await Istiod.start({
    ...{ file: lab.programs.istiod, kubeconfig: lab.api.kubeconfigOf("istiod"), mesh: MESH },
    environment: environmentOf("signed"),
  });
  opened.add(second, (it) => it.stop());
  const authority = await Authority.create();
  const issuer = new TokenIssuer();
  const server = await authority.issue(account(NAMESPACE, "web"));
  const secrets = await SecretServer.start({ server, clientAuthority: authority.certificate });
  opened.add(secrets, (it) => {
    it.stop();
  });
  const team = await Owner.create({ ns: NAMESPACE, root: ISTIO });
  const root = await Owner.create({ ns: ROOT_NAMESPACE, root: ISTIO });
  const module = await PinnedModule.create(pinOf([team, root], ROOT_NAMESPACE, TRUST_DOMAIN_ALIASES));
  opened.add(module, (it) => it.remove());
  const app = opened.add(await startBackend(), (it) => it.stop());
  await lab.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await lab.apply(...commonObjects(issuer.jwks));
  const start = async (side: Side, ads: number): Promise<Workload> => {
    const labels = { ...LABELS, side };
    await lab.apply(sidecar({ side, labels, entrances, appPort: app.port }));
    const [{ addresses, port }] = entrances;
    const clusters = [grpcCluster("sds-grpc", secrets.port)];
    const place = { kind: "sidecar", namespace: NAMESPACE, name: "web", address: addresses[side], port } as const;
    const workload = await Workload.start({ ...place, labels, ads, clusters, concurrency: 1 }, app);
    return opened.add(workload, (it) => it.envoy.stop());
  };
  const workloads = {
    native: await start("native", lab.istiod.adsPort),
    signed: await start("signed", second.adsPort),
  };
  const api = opened.add(await ApiClient.create(lab.api), (it) => {
    it.close();
  });
  const client = new Client({ authority, issuer });
  return { opened, entrances, module, owners: { team, root }, api, client, workloads };
}

function environmentOf(side: Side): Readonly<Record<string, string>> {
  return {
    PILOT_IGNORE_RESOURCES: OVERLOOKED[side],
    PILOT_DEBOUNCE_AFTER: "10ms",
    // Clients of other trust domains get past the handshake, so that policies see them.
    PILOT_SKIP_VALIDATE_TRUST_DOMAIN: "true",
  };
}
