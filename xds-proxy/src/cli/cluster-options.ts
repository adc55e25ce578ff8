/** Which cluster a command talks to, with kubectl's names for it. */
import { resolve } from "node:path";
import { Option } from "commander";
import { Cluster } from "../kubernetes/cluster.ts";
import type { PluginName } from "../kubernetes/wasm-plugins.ts";
import type { CliContext } from "./context.ts";

export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

export function clusterOptions(): readonly [Option, Option] {
  return [
    new Option("--kubeconfig <file>", "which cluster (default: KUBECONFIG, ~/.kube/config, the pod's service account)"),
    new Option("--context <name>", "context of the kubeconfig"),
  ];
}

/** @throws ConfigError */
export async function openCluster(context: CliContext, flags: ClusterFlags): Promise<Cluster> {
  const { environment, signal } = context;
  const kubeconfig = flags.kubeconfig === undefined ? undefined : resolve(context.cwd, flags.kubeconfig);
  return await Cluster.open({ kubeconfig, context: flags.context, environment, signal });
}

/** `[NAMESPACE/]NAME`. */
export function pluginName(text: string, namespace: string): PluginName {
  const at = text.indexOf("/");
  return at < 0 ? { namespace, name: text } : { namespace: text.slice(0, at), name: text.slice(at + 1) };
}

export function shownPlugin({ namespace, name }: PluginName): string {
  return `${namespace}/${name}`;
}
