/** What a chain's transport socket demands of clients. */
import type { FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import {
  DownstreamTlsContextSchema,
  type DownstreamTlsContext,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { CertificateValidationContext_TrustChainVerification } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { CertificateValidationContext } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/common_pb.js";
import type { SdsSecretConfig } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { Findings } from "./findings.ts";
import type { GuardedPort } from "./types.ts";
import { unpackAs } from "./unpack.ts";

export function checkTransport(chain: FilterChain, where: string, port: GuardedPort, findings: Findings): void {
  if (port.tls === "none") return;
  const at = `${where}.transport_socket`;
  const config = chain.transportSocket?.configType;
  const context = config?.case === "typedConfig" ? unpackAs(config.value, DownstreamTlsContextSchema) : undefined;
  if (context === undefined) {
    findings.add("tls", at, `port ${port.port} must be served with TLS, and this chain takes plain text`);
    return;
  }
  if (port.tls === "mutual") checkClients(context, at, port, findings);
}

function checkClients(context: DownstreamTlsContext, where: string, port: GuardedPort, findings: Findings): void {
  findings.unless(context.requireClientCertificate === true, "tls", where, "clients may come without a certificate");
  const type = context.commonTlsContext?.validationContextType;
  if (type?.case === "validationContextSdsSecretConfig") checkSecret(type.value, where, port, findings);
  else if (type?.case === "combinedValidationContext") {
    checkSecret(type.value.validationContextSdsSecretConfig, where, port, findings);
    checkValidation(type.value.defaultValidationContext, where, findings);
  } else
    findings.add("tls", where, "what says which certificates are good is not a secret of the workload's own agent");
}

/** A control plane that may name the authority may make any client. */
function checkSecret(
  secret: SdsSecretConfig | undefined,
  where: string,
  { clientCa }: GuardedPort,
  findings: Findings,
): void {
  const name = secret?.name ?? "";
  findings.unless(clientCa.includes(name), "tls", where, `clients are judged by ${name}, which clientCa does not list`);
  const source = secret?.sdsConfig?.configSourceSpecifier;
  const isOwnAgent =
    source?.case === "apiConfigSource" &&
    source.value.grpcServices.every(
      ({ targetSpecifier }) =>
        targetSpecifier.case === "envoyGrpc" && targetSpecifier.value.clusterName === AGENT_CLUSTER,
    );
  findings.unless(isOwnAgent, "tls", where, `${name} does not come from ${AGENT_CLUSTER}, the workload's own agent`);
}

/** In the bootstrap, so that no cluster of the control plane takes its place. */
const AGENT_CLUSTER = "sds-grpc";

function checkValidation(context: CertificateValidationContext | undefined, where: string, findings: Findings): void {
  if (context === undefined) return;
  const isStrict =
    context.trustChainVerification === CertificateValidationContext_TrustChainVerification.VERIFY_TRUST_CHAIN &&
    !context.allowExpiredCertificate &&
    context.trustedCa === undefined;
  findings.unless(isStrict, "tls", where, "the default validation context weakens the check of certificates");
}
