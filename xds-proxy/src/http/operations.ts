/** What programs that run on serve to Prometheus and to probes. */
import type { Registry } from "prom-client";
import { textAnswer, type HttpAnswer } from "./server.ts";

export interface Probe {
  readonly ok: boolean;
  /** For people. */
  readonly reason: string;
}

export function probeAnswer({ ok, reason }: Probe): HttpAnswer {
  return textAnswer(ok ? 200 : 503, reason);
}

export async function metricsAnswer(registry: Registry): Promise<HttpAnswer> {
  return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
}
