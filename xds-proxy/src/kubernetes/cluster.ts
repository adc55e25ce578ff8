/** A connection to a Kubernetes API server. Each call has a deadline, ends with the signal, and fails with our own errors. */
import type {
  ConfigurationOptions,
  CustomObjectsApi,
  Observable,
  RequestContext,
  ResponseContext,
} from "@kubernetes/client-node";
import { apiFailure, type ApiRequest } from "./api-error.ts";
import { loadKubeconfig, type KubeconfigOptions } from "./kubeconfig.ts";

export interface ClusterOptions extends KubeconfigOptions {
  readonly signal: AbortSignal;
  /** For each call. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/** What a call of the client takes beside its parameters. */
export type CallOptions = ConfigurationOptions;

export interface Place {
  /** As in the kubeconfig. */
  readonly server: string;
  /** That of the context, as in kubectl. */
  readonly namespace: string;
}

/** The parts of the client, which is loaded on use. */
interface Client {
  readonly api: CustomObjectsApi;
  readonly resolved: <T>(value: T) => Observable<T>;
}

export class Cluster {
  readonly place: Place;
  readonly #client: Client;
  readonly #options: ClusterOptions;

  private constructor(client: Client, place: Place, options: ClusterOptions) {
    this.place = place;
    this.#client = client;
    this.#options = options;
  }

  /** Reads files only; nothing is sent before the first call.
   *  @throws ConfigError */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const config = await loadKubeconfig(options);
    const { CustomObjectsApi: Api, Observable: Resolved } = await import("@kubernetes/client-node");
    const server = config.getCurrentCluster()?.server ?? "";
    const namespace = config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
    const resolved = <T>(value: T): Observable<T> => new Resolved(Promise.resolve(value));
    return new Cluster({ api: config.makeApiClient(Api), resolved }, { server, namespace }, options);
  }

  /**
   * @param request - for what is said when it fails
   * @param contentType - of the body, where there is one
   * @throws UpstreamError
   */
  async call(
    request: ApiRequest,
    run: (api: CustomObjectsApi, options: CallOptions) => Promise<unknown>,
    contentType?: string,
  ): Promise<unknown> {
    const { signal, timeoutMs = TIMEOUT_MS } = this.#options;
    signal.throwIfAborted();
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, deadline]);
    const pre = (context: RequestContext): Observable<RequestContext> => {
      context.setSignal(either);
      if (contentType !== undefined) context.setHeaderParam("Content-Type", contentType);
      return this.#client.resolved(context);
    };
    const post = (response: ResponseContext): Observable<ResponseContext> => this.#client.resolved(response);
    try {
      return await run(this.#client.api, { middleware: [{ pre, post }], middlewareMergeStrategy: "append" });
    } catch (error) {
      if (signal.aborted) throw error;
      throw apiFailure(error, { ...request, server: this.place.server, timedOut: deadline.aborted });
    }
  }
}
