/**
 * Which cluster, and as whom: the file that was named, `KUBECONFIG`, `~/.kube/config`, or the service account of the pod,
 * in the order of kubectl. Where there is none of these it says so, instead of asking localhost.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { ConfigError } from "../errors.ts";

export interface KubeconfigOptions {
  /** Absolute path of the only file to look at. */
  readonly kubeconfig?: string | undefined;
  /** Instead of the file's current one. */
  readonly context?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** In front of the path where Kubernetes mounts a service account. */
  readonly mountPrefix?: string;
}

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** @throws ConfigError when there is no cluster to talk to, or what is there cannot be read */
export async function loadKubeconfig(options: KubeconfigOptions): Promise<KubeConfig> {
  const config = await load(options);
  const { context } = options;
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => name);
    if (!known.includes(context)) throw fault("context", `there is no ${context}; known are ${known.join(", ")}`);
    config.setCurrentContext(context);
  }
  const server = config.getCurrentCluster()?.server ?? "";
  if (!URL.canParse(server)) throw fault("context", `${config.getCurrentContext() || "no context"} names no cluster`);
  return config;
}

/** Whether there is anything that says which cluster. */
export function kubeconfigExists(options: KubeconfigOptions): boolean {
  return filesOf(options).length > 0 || isInPod(options);
}

async function load(options: KubeconfigOptions): Promise<KubeConfig> {
  const files = filesOf(options);
  if (files.length === 0 && !isInPod(options))
    throw fault("cluster", "none is configured", "give --kubeconfig FILE, or set KUBECONFIG");
  // Loaded on use: nothing else of wpgate should wait for it.
  const { KubeConfig: Kubeconfig } = await import("@kubernetes/client-node");
  const config = new Kubeconfig();
  if (files.length > 0) {
    config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: "" });
    for (const file of files) {
      const part = new Kubeconfig();
      try {
        part.loadFromFile(file);
      } catch (cause) {
        throw new ConfigError([{ path: file, message: "is no kubeconfig that can be read" }], { cause });
      }
      merge(config, part);
    }
    return config;
  }
  config.loadFromCluster(options.mountPrefix);
  return config;
}

function isInPod({ environment, mountPrefix = "" }: KubeconfigOptions): boolean {
  return environment["KUBERNETES_SERVICE_HOST"] !== undefined && existsSync(`${mountPrefix}${SERVICE_ACCOUNT_TOKEN}`);
}

/** As kubectl has it: the file that was named must be there; of the others, those that are. */
function filesOf({ kubeconfig, environment }: KubeconfigOptions): readonly string[] {
  if (kubeconfig !== undefined) return [kubeconfig];
  const named = (environment["KUBECONFIG"] ?? "").split(delimiter).filter((file) => file !== "");
  const files = named.length > 0 ? named : [join(environment["HOME"] ?? homedir(), ".kube", "config")];
  return files.filter((file) => existsSync(file));
}

/** The first file that has a name decides what it means. */
function merge(config: KubeConfig, part: KubeConfig): void {
  if (config.getCurrentContext() === "") config.setCurrentContext(part.getCurrentContext());
  const isNew =
    (known: readonly Named[]) =>
    ({ name }: Named): boolean =>
      !known.some((item) => item.name === name);
  for (const item of part.getClusters().filter(isNew(config.getClusters()))) config.addCluster(item);
  for (const item of part.getUsers().filter(isNew(config.getUsers()))) config.addUser(item);
  for (const item of part.getContexts().filter(isNew(config.getContexts()))) config.addContext(item);
}

interface Named {
  readonly name: string;
}

function fault(path: string, message: string, hint?: string): ConfigError {
  return new ConfigError([{ path, message }], hint === undefined ? {} : { hint });
}
