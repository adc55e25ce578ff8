/** The HTTP/2 connections to one upstream: as few as carry the streams, and a new one when the TLS files have changed. */
import { Client, connectivityState, credentials, type ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { formatAddress } from "../config/addresses.ts";
import type { UpstreamConfig } from "../config/proxy-config.ts";
import { UpstreamError } from "../errors.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface ConnectionsOptions {
  readonly upstream: UpstreamConfig;
  readonly messageMaxBytes: number;
  readonly streamsMaxCount: number;
  /** Of the upstream, for messages. */
  readonly name: string;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #all = new Set<Connection>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** A connection with room for one more stream, which the caller releases. */
  take(material: TlsMaterial | undefined): Connection {
    const digest = material?.digest ?? "";
    const { streamsMaxCount } = this.#options;
    const found = [...this.#all].find(
      (one) => one.usable && one.digest === digest && one.streamsCount < streamsMaxCount,
    );
    const connection = found ?? new Connection(this.#options, material);
    this.#all.add(connection);
    connection.streamsCount++;
    return connection;
  }

  /** After a stream on it has ended. @param usable - whether others may still begin on it */
  release(connection: Connection, { usable }: { readonly usable: boolean }): void {
    connection.streamsCount--;
    if (!usable) connection.usable = false;
    const spare = [...this.#all].some((one) => one !== connection && one.usable && one.digest === connection.digest);
    if (connection.streamsCount > 0 || (connection.usable && !spare)) return;
    this.#all.delete(connection);
    connection.client.close();
  }

  close(): void {
    for (const { client } of this.#all) client.close();
    this.#all.clear();
  }
}

export class Connection {
  readonly client: Client;
  readonly digest: string;
  streamsCount: number = 0;
  usable: boolean = true;
  readonly #options: ConnectionsOptions;

  constructor(options: ConnectionsOptions, material: TlsMaterial | undefined) {
    this.#options = options;
    this.digest = material?.digest ?? "";
    this.client = new Client(targetOf(options.upstream), credentialsOf(material), channelOptions(options));
  }

  /** @returns whether it is there; not when it was refused, the reason of which only a call is told.
   *  Rejects with UpstreamError `TIMEOUT`, and with the reason of `signal`. */
  async established(signal: AbortSignal): Promise<boolean> {
    const { name, upstream } = this.#options;
    const deadlineMs = Date.now() + upstream.connectTimeoutSec * 1000;
    const channel = this.client.getChannel();
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return true;
      if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return false;
      const changed = await new Promise<boolean>((resolve, reject) => {
        const stop = (): void => {
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", stop, { once: true });
        channel.watchConnectivityState(state, deadlineMs, (error) => {
          signal.removeEventListener("abort", stop);
          resolve(error === undefined);
        });
      });
      if (!changed)
        throw new UpstreamError("TIMEOUT", `${name} did not connect within ${upstream.connectTimeoutSec} s`);
    }
  }
}

function targetOf({ address }: UpstreamConfig): string {
  return address.kind === "unix" ? formatAddress(address) : `dns:${formatAddress(address)}`;
}

function credentialsOf(material: TlsMaterial | undefined): ChannelCredentials {
  if (material === undefined) return credentials.createInsecure();
  const { ca, cert, key } = material;
  return credentials.createSsl(ca ?? null, key ?? null, cert ?? null);
}

/** Replicas of istiod behind one name share the load. */
const SERVICE_CONFIG = JSON.stringify({ loadBalancingConfig: [{ pick_first: { shuffleAddressList: true } }] });
/** A connection that was lost is tried again at once; how long to wait between attempts is decided above, for all streams. */
const BACKOFF_MS = 100;
/** What may be under way on one stream; with node's 64 KiB a response of 3 MB takes a fifth longer, and one of 30 KB twice as long. */
const WINDOW_BYTES = 512 * 1024;

function channelOptions({ upstream, messageMaxBytes }: ConnectionsOptions): ChannelOptions {
  const { keepalive, tls } = upstream;
  return {
    "grpc.max_receive_message_length": messageMaxBytes,
    "grpc.max_send_message_length": -1,
    "grpc.keepalive_time_ms": keepalive.timeSec * 1000,
    "grpc.keepalive_timeout_ms": keepalive.timeoutSec * 1000,
    "grpc.initial_reconnect_backoff_ms": BACKOFF_MS,
    "grpc.max_reconnect_backoff_ms": BACKOFF_MS,
    "grpc.service_config": SERVICE_CONFIG,
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.enable_channelz": 0,
    // The way to the control plane does not depend on an environment variable.
    "grpc.enable_http_proxy": 0,
    "grpc-node.flow_control_window": WINDOW_BYTES,
    ...(tls?.serverName !== undefined && {
      "grpc.ssl_target_name_override": tls.serverName,
      "grpc.default_authority": tls.serverName,
    }),
  };
}
