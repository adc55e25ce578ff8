/** The signer's HTTP side: `/metrics` for Prometheus, `/healthz` for alerts, `/readyz` for probes. */
import type { Registry } from "prom-client";
import { metricsAnswer, probeAnswer } from "../http/operations.ts";
import { serveHttp, type HttpServer } from "../http/server.ts";
import type { SignerHealth } from "./signer-health.ts";

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

/** @throws ConfigError when it cannot listen there */
export async function startSignerServer(options: SignerServerOptions): Promise<HttpServer> {
  const { health, nowMs, host, port } = options;
  const registry = await metricsOf(options);
  return await serveHttp({
    ...{ port, setting: "--listen", ...(host !== undefined && { host }) },
    answer: ({ path }) => {
      if (path === "/metrics") return metricsAnswer(registry);
      if (path === "/healthz") return probeAnswer(health.healthy(nowMs()));
      if (path === "/readyz") return probeAnswer(health.ready());
      return undefined;
    },
  });
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
