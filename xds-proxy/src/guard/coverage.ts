/** Which ports and chains of a running Envoy are covered by Guards, which are open, and why. */
import {
  checkCluster,
  checkEndpoints,
  checkExtension,
  checkListener,
  checkRoutes,
  type ExtensionOptions,
} from "./check.ts";
import { clusterView } from "./cluster-view.ts";
import type { LiveConfig } from "./config-dump.ts";
import { inboundPorts } from "./inbound-ports.ts";
import { decodeListener } from "./listener.ts";
import type { Guard, GuardFinding } from "./types.ts";

export type CoverageState = "covered" | "tcp allowed" | "open";

export interface CoverageRow {
  readonly listener: string;
  readonly port: number;
  /** Its name, or its place. */
  readonly chain: string;
  readonly state: CoverageState;
  readonly why: readonly string[];
}

export interface Coverage {
  readonly rows: readonly CoverageRow[];
  /** What is wrong elsewhere, and opens a way to a protected port all the same: the resource, and the finding. */
  readonly elsewhere: readonly (GuardFinding & { readonly resource: string })[];
}

export function coverageOf(config: LiveConfig, guards: readonly Guard[], options: ExtensionOptions = {}): Coverage {
  const view = clusterView(config.clusters, config.endpoints);
  const elsewhere: (GuardFinding & { resource: string })[] = [];
  const note = (resource: string, findings: readonly GuardFinding[]): void => {
    elsewhere.push(...findings.map((finding) => ({ ...finding, resource })));
  };
  const rows = config.listeners.flatMap((value) => {
    const findings = checkListener(value, guards, view);
    const { rows: found, rest } = rowsOf(value, findings, guards);
    note(`listener ${decodeListener(value).name}`, rest);
    return found;
  });
  for (const value of config.clusters) note("cluster", checkCluster(value, guards, view));
  for (const value of config.endpoints) note("endpoints", checkEndpoints(value, guards, view));
  for (const value of config.routes) note("routes", checkRoutes(value, guards, view));
  for (const value of config.extensions) note("extension", checkExtension(value, guards, options));
  return { rows, elsewhere };
}

interface ListenerRows {
  readonly rows: readonly CoverageRow[];
  readonly rest: readonly GuardFinding[];
}

function rowsOf(value: Uint8Array, findings: readonly GuardFinding[], guards: readonly Guard[]): ListenerRows {
  const shown = new Set<GuardFinding>();
  const rows = inboundPorts(value).flatMap(({ listener, port, chains }) =>
    chains.map(({ chain, where }): CoverageRow => {
      const mine = findings.filter((finding) => isWithin(finding.where, where));
      for (const finding of mine) shown.add(finding);
      const rules = guards.flatMap(({ ports }) => ports.filter((rule) => rule.port === port));
      const name = chain.name === "" ? where : `${where} ${chain.name}`;
      const why =
        rules.length === 0 ? ["no Guard protects this port"] : mine.map(({ clause, reason }) => `${clause}: ${reason}`);
      if (why.length > 0) return { listener, port, chain: name, state: "open", why };
      const isHttp = chain.filters.some(
        ({ name: filter }) => filter === "envoy.filters.network.http_connection_manager",
      );
      return { listener, port, chain: name, state: isHttp ? "covered" : "tcp allowed", why: [] };
    }),
  );
  return { rows, rest: findings.filter((finding) => !shown.has(finding)) };
}

function isWithin(where: string, chain: string): boolean {
  return where === chain || where.startsWith(`${chain}.`);
}
