/** Secret discovery (SDS), as istio-agent does it: the workload's certificate, and the authority of its clients. */
import { create } from "@bufbuild/protobuf";
import { anyPack, type Any } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { discoveryMethod } from "../../../xds-proxy/src/demo/discovery-method.ts";
import { SecretSchema } from "../../../xds-proxy/src/gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
} from "../../../xds-proxy/src/gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { KeyAndCertificate } from "../../scenarios/certificates.ts";

const SERVICE = { StreamSecrets: discoveryMethod("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets") };

export interface Secrets {
  readonly server: KeyAndCertificate;
  readonly clientAuthority: string;
}

export class SecretServer {
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens on a loopback port. */
  static async start(secrets: Secrets): Promise<SecretServer> {
    const shelf = shelfOf(secrets);
    const server = new Server();
    server.addService(SERVICE, {
      StreamSecrets: (stream: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>) => {
        serve(stream, shelf);
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return new SecretServer(server, port);
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}

/** Answers whenever the names that a stream asks for change; secrets themselves never do. */
function serve(stream: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>, shelf: ReadonlyMap<string, Any>): void {
  let asked = "";
  let nonce = 0;
  stream.on("data", ({ resourceNames, typeUrl }: DiscoveryRequest) => {
    const names = resourceNames.toSorted().join();
    if (names === asked) return;
    asked = names;
    const resources = resourceNames.flatMap((name) => shelf.get(name) ?? []);
    stream.write(
      create(DiscoveryResponseSchema, { typeUrl, versionInfo: "1", nonce: String(++nonce), resources: [...resources] }),
    );
  });
  stream.on("end", () => {
    stream.end();
  });
  stream.on("error", () => undefined);
}

/** Under the names that istiod's listeners ask for. */
function shelfOf({ server, clientAuthority }: Secrets): ReadonlyMap<string, Any> {
  const text = (value: string): { specifier: { case: "inlineString"; value: string } } => ({
    specifier: { case: "inlineString", value },
  });
  const own = create(SecretSchema, {
    name: "default",
    type: {
      case: "tlsCertificate",
      value: { certificateChain: text(server.certificate), privateKey: text(server.key) },
    },
  });
  const peers = create(SecretSchema, {
    name: "ROOTCA",
    type: { case: "validationContext", value: { trustedCa: text(clientAuthority) } },
  });
  return new Map([own, peers].map((secret) => [secret.name, anyPack(SecretSchema, secret)]));
}
