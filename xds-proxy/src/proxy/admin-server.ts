/**
 * The admin server: `/metrics`, `/healthz`, `/readyz` for whoever can reach it; who is connected and what he was given only for
 * this machine. Nothing here changes anything.
 */
import { isLoopback, type TcpAddress } from "../config/addresses.ts";
import { metricsAnswer, probeAnswer } from "../http/operations.ts";
import {
  jsonAnswer,
  serveHttp,
  textAnswer,
  type HttpAnswer,
  type HttpRequest,
  type HttpServer,
} from "../http/server.ts";
import { indexPage } from "./admin-page.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { ProxyView, StreamsAnswer } from "./view.ts";

export type AdminServer = HttpServer;

export interface AdminServerOptions {
  readonly address: TcpAddress;
  readonly view: ProxyView;
  readonly metrics: ProxyMetrics;
  readonly nowMs: () => number;
}

const RESOURCES = "/debug/resources/";

/** @throws ConfigError when it cannot listen there */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { address, view, metrics } = options;
  return await serveHttp({
    ...{ port: address.port, setting: "admin", ...(address.host !== "" && { host: address.host }) },
    answer: (request) => {
      const { path } = request;
      if (path === "/metrics") return metricsAnswer(metrics.registry);
      // That it answers is what the probe asks.
      if (path === "/healthz") return probeAnswer({ ok: true, reason: "alive" });
      if (path === "/readyz") return readiness(view);
      return fromHere(request)
        ? debugAnswer(request, options)
        : textAnswer(403, "this is for clients on the same machine, by its loopback address");
    },
  });
}

function readiness(view: ProxyView): HttpAnswer {
  const { ready, reason } = view.readiness();
  return probeAnswer({ ok: ready, reason });
}

/** The name is looked at, too: a page in a browser here, whose name leads here, would be asked under its own. */
function fromHere({ peer, host }: HttpRequest): boolean {
  return isLoopback(peer) && isLoopback(host);
}

function debugAnswer({ path, query }: HttpRequest, { view, nowMs }: AdminServerOptions): HttpAnswer | undefined {
  if (path === "/")
    return { status: 200, contentType: "text/html; charset=utf-8", body: indexPage(answerOf(view, nowMs())) };
  if (path === "/debug/streams") {
    const node = query.get("node");
    const answer = answerOf(view, nowMs());
    return jsonAnswer(
      node === null ? answer : { ...answer, streams: answer.streams.filter(({ nodeId }) => nodeId === node) },
    );
  }
  return path.startsWith(RESOURCES) ? resourcesAnswer(view, path.slice(RESOURCES.length)) : undefined;
}

function resourcesAnswer(view: ProxyView, encodedNode: string): HttpAnswer {
  const node = decoded(encodedNode);
  const types = node === undefined ? undefined : view.resources(node);
  return types === undefined ? textAnswer(404, "nothing is known of this node") : jsonAnswer({ node, types });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function answerOf(view: ProxyView, nowMs: number): StreamsAnswer {
  return {
    ...{ mode: view.mode, nowMs, readiness: view.readiness() },
    namespaces: view.namespaces(),
    streams: view.streams(),
  };
}
