/** A gRPC server that answers one method, whatever it is asked, with its own port as text. */
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { UpstreamError } from "../../../xds-proxy/src/errors.ts";

export const WHO_PATH = "/wpgate.test.Backend/Who";

export class Backend {
  port = 0;
  readonly #server = new Server();

  private constructor() {
    const pass = (bytes: Buffer): Buffer => bytes;
    const method = {
      ...{ path: WHO_PATH, requestStream: false, responseStream: false },
      ...{ requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass },
    };
    this.#server.addService(
      { Who: method },
      {
        Who: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          answer(null, Buffer.from(String(this.port)));
        },
      },
    );
  }

  static async start(): Promise<Backend> {
    const backend = new Backend();
    backend.port = await new Promise((resolve, reject) => {
      backend.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(new UpstreamError("UNAVAILABLE", "the backend cannot listen", { cause: error }));
      });
    });
    return backend;
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
