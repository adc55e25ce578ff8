/** The signer's HTTP side: `/metrics` for Prometheus, `/healthz` for alerts, `/readyz` for probes. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { ConfigError } from "../errors.ts";
import type { Probe, SignerHealth } from "./signer-health.ts";

export interface SignerServerOptions {
  /** All addresses, when absent. */
  readonly host?: string;
  /** 0 for one that is free. */
  readonly port: number;
  readonly health: SignerHealth;
  readonly nowMs: () => number;
  /** Of all metrics. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface SignerServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** @throws ConfigError when it cannot listen there */
export async function startSignerServer(options: SignerServerOptions): Promise<SignerServer> {
  const { health, nowMs, host, port } = options;
  const registry = await metricsOf(options);
  const server = createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    if (path === "/metrics") void answerMetrics(registry, response);
    else if (path === "/healthz") answerProbe(health.healthy(nowMs()), response);
    else if (path === "/readyz") answerProbe(health.ready(), response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", (cause) => {
      reject(new ConfigError([{ path: "--listen", message: `cannot listen on ${host ?? ""}:${port}` }], { cause }));
    });
    server.listen({ port, host }, resolve);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${bound}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answerMetrics(registry: Registry, response: ServerResponse): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { "content-type": registry.contentType }).end(text);
}

function answerProbe({ ok, reason }: Probe, response: ServerResponse): void {
  response.writeHead(ok ? 200 : 503, { "content-type": "text/plain" }).end(`${reason}\n`);
}

/** Read from `health` whenever somebody asks. */
async function metricsOf({ health, nowMs, labels }: SignerServerOptions): Promise<Registry> {
  // Loaded on use: nothing else of wpgate should wait for it.
  const { Counter, Gauge, Registry: Metrics } = await import("prom-client");
  const registry = new Metrics();
  registry.setDefaultLabels(labels);
  const registers = [registry];
  const gauge = (name: string, help: string, value: () => number | undefined): void => {
    new Gauge({
      ...{ name: `wpgate_signer_${name}`, help, registers },
      collect() {
        this.set(value() ?? NaN);
      },
    });
  };
  new Counter({
    ...{ name: "wpgate_signer_renewals_total", help: "fresh statements signed and handed on", registers },
    collect() {
      this.reset();
      this.inc(health.renewalsCount);
    },
  });
  new Counter({
    ...{ name: "wpgate_signer_failures_total", help: "attempts that failed, by code", registers, labelNames: ["code"] },
    collect() {
      this.reset();
      for (const [code, count] of health.failures) this.inc({ code }, count);
    },
  });
  gauge("expires_in_seconds", "until the newest fresh statement runs out", () => health.expiresInSec(nowMs()));
  gauge("set_version", "of the set that is kept fresh", () => Number(health.setVer));
  gauge(
    "last_success_timestamp_seconds",
    "when the last attempt went well",
    () => (health.lastSuccessMs ?? NaN) / 1000,
  );
  return registry;
}
