import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadKubeconfig, type KubeconfigOptions } from "./kubeconfig.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wpgate-kubeconfig-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A kubeconfig with a context for each server. */
function write(name: string, servers: Readonly<Record<string, string>>, current: string): string {
  const named = Object.entries(servers);
  const content = {
    clusters: named.map(([cluster, server]) => ({ name: cluster, cluster: { server } })),
    users: [{ name: "me", user: { token: "t" } }],
    contexts: named.map(([cluster]) => ({ name: cluster, context: { cluster, user: "me" } })),
    "current-context": current,
  };
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

async function serverOf(options: Partial<KubeconfigOptions>): Promise<string | undefined> {
  const config = await loadKubeconfig({ environment: { HOME: folder }, ...options });
  return config.getCurrentCluster()?.server;
}

test("the file that is named, then KUBECONFIG, then the home folder", async () => {
  mkdirSync(join(folder, ".kube"));
  write(".kube/config", { home: "https://home" }, "home");
  const KUBECONFIG = write("variable", { variable: "https://variable" }, "variable");
  const kubeconfig = write("named", { named: "https://named" }, "named");
  const environment = { HOME: folder, KUBECONFIG };
  expect(await serverOf({})).toBe("https://home");
  expect(await serverOf({ environment })).toBe("https://variable");
  expect(await serverOf({ environment, kubeconfig })).toBe("https://named");
});

test("of several files the first that has a name decides", async () => {
  const files = [
    write("a", { a: "https://a", shared: "https://a-shared" }, "shared"),
    join(folder, "missing"),
    write("b", { b: "https://b", shared: "https://b-shared" }, "b"),
  ];
  const environment = { KUBECONFIG: files.join(delimiter) };
  expect(await serverOf({ environment })).toBe("https://a-shared");
  expect(await serverOf({ environment, context: "b" })).toBe("https://b");
});

test("the service account of the pod", async () => {
  const account = join(folder, "var/run/secrets/kubernetes.io/serviceaccount");
  mkdirSync(account, { recursive: true });
  writeFileSync(join(account, "token"), "t");
  writeFileSync(join(account, "namespace"), "team-a");
  const environment = { HOME: folder, KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const config = await loadKubeconfig({ environment, mountPrefix: folder });
  expect(config.getCurrentCluster()?.server).toBe("https://10.0.0.1:443");
  expect(config.getContextObject(config.getCurrentContext())?.namespace).toBe("team-a");
});

test.each([
  ["no cluster", {}, "cluster: none is configured"],
  ["no such file", { kubeconfig: "/nonexistent" }, "/nonexistent: is no kubeconfig that can be read"],
])("%s", async (_, options, message) => {
  await expect(serverOf(options)).rejects.toThrow(message);
});

test("what the file lacks", async () => {
  const kubeconfig = write("a", { a: "https://a" }, "gone");
  await expect(serverOf({ kubeconfig })).rejects.toThrow("context: gone names no cluster");
  await expect(serverOf({ kubeconfig, context: "x" })).rejects.toThrow("context: there is no x; known are a");
  writeFileSync(kubeconfig, "a: [");
  await expect(serverOf({ kubeconfig })).rejects.toThrow("is no kubeconfig");
});
