/** `wpgate fresh --plugin` on a real API server: the online signer, once and as a service. */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { decodeSigningKeyPem } from "../../xds-proxy/src/crypto/key-files.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { signStatement } from "../../xds-proxy/src/envelope/seal.ts";
import { Cluster } from "../../xds-proxy/src/kubernetes/cluster.ts";
import { WasmPlugins } from "../../xds-proxy/src/kubernetes/wasm-plugins.ts";
import { summarizeFresh, type FreshSummary } from "../../xds-proxy/src/owner/bundle-summary.ts";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import { Cli, policyYaml, type Run } from "../cli/harness.ts";
import { ClusterCli, NS, ownedBy, WASM_PLUGIN_RULE, type LivePlugin } from "./cluster-cli.ts";

const WAIT_MS = 30_000;
let cluster: ClusterCli;
beforeAll(async () => {
  cluster = await ClusterCli.start();
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(async () => {
  await cluster.lab.kubectl(["delete", "wasmplugins", "--all", "-n", NS]);
  await put("GET");
});

/** The owner signs and applies another content. */
async function put(method: string, ...sign: readonly string[]): Promise<string> {
  const plugin = await cluster.plugin(method, { sign });
  const { code, stderr } = await cluster.apply(plugin);
  if (code !== 0) throw new Error(stderr);
  return plugin;
}

const fresh = async (...argv: readonly string[]): Promise<Run> =>
  await cluster.run(["fresh", "-C", NS, "--plugin", "wpgate", ...argv]);
const patch = async (...operations: readonly object[]): Promise<string> =>
  await cluster.lab.kubectl([
    "patch",
    "wasmplugin",
    "wpgate",
    "-n",
    NS,
    "--type=json",
    "-p",
    JSON.stringify(operations),
  ]);

/** What the online signer has put there. */
async function kept(ns = NS): Promise<FreshSummary | undefined> {
  const text = (await cluster.live()).spec.pluginConfig.fresh?.[ns];
  return text === undefined ? undefined : summarizeFresh(text);
}

const setVersion = ({ spec }: LivePlugin): string => claimsOf(spec.pluginConfig.sets[0]!.set).claims.ver!;
const SETS = "/spec/pluginConfig/sets";

describe("once", () => {
  test("writes and owns one field, and consumers believe it", async () => {
    const before = await cluster.live();
    expect(await fresh()).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("is fresh for 24h") as string,
    });
    const live = await cluster.live();
    expect(ownedBy(live, "wpgate-fresh")).toEqual(["spec.pluginConfig.fresh.team-a"]);
    expect(ownedBy(live, "wpgate")).toEqual(ownedBy(before, "wpgate"));
    const text = live.spec.pluginConfig.fresh![NS]!;
    expect(live.spec).toEqual({ ...before.spec, pluginConfig: { ...before.spec.pluginConfig, fresh: { [NS]: text } } });
    const { ver, set } = (await kept())!;
    expect(set.ver).toBe(setVersion(live));
    expect(BigInt(ver)).toBeGreaterThan(BigInt(claimsOf(live.spec.pluginConfig.sets[0]!.fresh).claims.ver!));
    cluster.cli.write("live.json", JSON.stringify(live));
    const verdict = JSON.parse(await cluster.cli.good("verify", "live.json", "--pin", "pin.json", "--json")) as {
      namespaces: { state: { freshVer: string } }[];
    };
    expect(verdict.namespaces[0]?.state.freshVer).toBe(ver);
  });

  test("with a folder that holds no more than it needs, and stays as it is", async () => {
    const folder = cluster.cli.path("signer");
    mkdirSync(join(folder, "keys"), { recursive: true });
    const files = ["wpgate.yaml", "pin.json", "keys/fresh.pem"];
    for (const file of files) copyFileSync(cluster.cli.path(join(NS, file)), join(folder, file));
    expect((await cluster.run(["fresh", "-C", "signer", "--plugin", `${NS}/wpgate`])).code).toBe(0);
    expect(readdirSync(folder, { recursive: true }).toSorted()).toEqual([...files, "keys"].toSorted());
  });

  test("with the rights to get and patch this one object", async () => {
    const rule = { ...WASM_PLUGIN_RULE, resourceNames: ["wpgate"] };
    const reader = await cluster.account("reader", { ...rule, verbs: ["get"] });
    const signer = await cluster.account("signer", { ...rule, verbs: ["get", "patch"] });
    const run = (user: string): Promise<Run> => cluster.run(["fresh", "-C", NS, "--plugin", "wpgate"], { user });
    const refused = await until({
      what: "the reader being let in",
      probe: async () => {
        const { stderr } = await run(reader);
        return stderr.includes("may not get") ? undefined : stderr;
      },
    });
    expect(refused).toContain("reader may not patch wasmplugins.extensions.istio.io wpgate in namespace team-a");
    await until({
      what: "the signer being let in",
      probe: async () => ((await run(signer)).code === 0 ? true : undefined),
    });
  });

  test("from inside of a pod, with its service account", async () => {
    await cluster.account("pod", { ...WASM_PLUGIN_RULE, resourceNames: ["wpgate"], verbs: ["get"] });
    const mountPrefix = cluster.cli.path("pod");
    const account = join(mountPrefix, "var/run/secrets/kubernetes.io/serviceaccount");
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, "token"), await cluster.lab.kubectl(["create", "token", "pod", "-n", NS]));
    writeFileSync(join(account, "ca.crt"), cluster.lab.api.authority);
    writeFileSync(join(account, "namespace"), NS);
    const { hostname, port } = new URL(cluster.lab.api.url);
    vi.stubEnv("KUBERNETES_SERVICE_HOST", hostname);
    vi.stubEnv("KUBERNETES_SERVICE_PORT", port);
    const environment = { ...process.env, KUBECONFIG: "", HOME: mountPrefix };
    const opened = await Cluster.open({ environment, mountPrefix, signal: new AbortController().signal });
    vi.unstubAllEnvs();
    expect(opened.place).toEqual({ server: cluster.lab.api.url, namespace: NS });
    const plugins = new WasmPlugins(opened);
    await until({
      what: "the pod being let in",
      probe: async () => await plugins.get({ namespace: NS, name: "wpgate" }).catch(() => undefined),
    });
    await expect(plugins.list(NS)).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: expect.stringContaining("system:serviceaccount:team-a:pod may not list") as string,
    });
  });

  test("leaves what the signer of another namespace keeps in the same object", async () => {
    const other = ["--namespace", "istio-system", "--mesh", "prod", "--contact", "mailto:b@example.com"];
    await cluster.cli.good("root", "init", "-C", "mesh", ...other);
    cluster.cli.write("b.yaml", policyYaml("b"));
    await cluster.cli.good("sign", "-C", "mesh", "b.yaml");
    await cluster.apply(await cluster.plugin("POST", { more: ["mesh/bundle.json"] }));
    expect((await fresh()).code).toBe(0);
    const first = await kept();
    expect((await cluster.run(["fresh", "-C", "mesh", "--plugin", `${NS}/wpgate`])).code).toBe(0);
    expect(await kept()).toEqual(first);
    expect(await kept("istio-system")).toBeDefined();
  });

  test("confirms what is there when it writes, also when that has just changed", async () => {
    const newer = await cluster.plugin("PATCH");
    cluster.cli.write("newer.yaml", newer);
    const { kubectl } = cluster.lab.programs;
    const admin = cluster.lab.api.kubeconfigOf("admin");
    const replace = `"${kubectl}" --kubeconfig="${admin}" apply --server-side --field-manager=wpgate -f newer.yaml >&2`;
    const sign = `openssl dgst -sha256 -sign ${NS}/keys/fresh.pem`;
    const { code } = await fresh("--signer", `exec:${replace} && ${sign}`, "--public-key", `${NS}/keys/fresh.pub.pem`);
    expect(code).toBe(0);
    expect((await kept())?.set.ver).toBe(claimsOf(cluster.cli.bundle().set!).claims.ver);
  });

  test("a stranger's statement in its place is replaced", async () => {
    await patch({ op: "add", path: "/spec/pluginConfig/fresh", value: { [NS]: "AAAA" } });
    expect((await fresh()).code).toBe(0);
    expect((await kept())?.set.ver).toBe(setVersion(await cluster.live()));
  });
});

describe("refuses, and writes nothing", () => {
  async function refusalOf(...argv: readonly string[]): Promise<string> {
    const before = (await cluster.live()).metadata.resourceVersion;
    const { code, stderr } = await fresh(...argv);
    expect([code, (await cluster.live()).metadata.resourceVersion]).toEqual([1, before]);
    return /refused with (\w+)/.exec(stderr)?.[1] ?? stderr;
  }

  test("a set that somebody else has signed", async () => {
    const forger = new Cli();
    Object.defineProperty(forger, "nowMs", { get: () => Date.now() });
    await forger.init();
    forger.write("a.yaml", policyYaml("a", { method: "DELETE" }));
    await forger.good("sign", "-C", NS, "a.yaml");
    await patch({ op: "replace", path: `${SETS}/0/set`, value: forger.bundle().set });
    expect(await refusalOf()).toBe("KEY_UNKNOWN");
    await patch({ op: "replace", path: SETS, value: [forger.bundle()] });
    expect(await refusalOf()).toBe("ROOT_INVALID");
    forger.remove();
  });

  test("a set that the online key has signed", async () => {
    const { claims, data } = claimsOf(cluster.cli.bundle().set!);
    const { ns, sub, ep, iat: iatSec, exp: expSec } = claims;
    const envelope = await signStatement({
      ...{ use: "set", ns, mesh: "prod", trustDomain: "cluster.local", sub, ep, iatSec, expSec, data },
      ver: String(BigInt(claims.ver!) + 1n),
      signers: [decodeSigningKeyPem(cluster.cli.read(`${NS}/keys/fresh.pem`))],
    });
    await patch({ op: "replace", path: `${SETS}/0/set`, value: encodeBase64Url(envelope) });
    expect(await refusalOf()).toBe("KEY_ROLE");
  });

  test("an older set, as long as anything remembers the newer one", async () => {
    const older = await cluster.plugin("GET");
    await put("POST");
    expect((await fresh("--state", "seen.json")).code).toBe(0);
    await cluster.apply(older, "--allow-older");
    expect(await refusalOf()).toBe("ROLLBACK");
    // With its own statement gone, only its memory is left.
    await patch({ op: "remove", path: "/spec/pluginConfig/fresh" });
    expect(await refusalOf("--state", "seen.json")).toBe("ROLLBACK");
  });

  test("an object that is not there, or not wpgate's, or without this namespace", async () => {
    expect((await cluster.run(["fresh", "-C", NS, "--plugin", "nowhere"])).stderr).toContain(
      "there is no WasmPlugin team-a/nowhere",
    );
    await patch({ op: "replace", path: SETS, value: [] });
    expect(await refusalOf()).toBe("SET_MISMATCH");
    await patch({ op: "replace", path: "/spec/pluginConfig", value: {} });
    expect(await refusalOf()).toContain("no bundle of wpgate is in the WasmPlugin team-a/wpgate");
  });
});

describe("as a service", () => {
  const ends: (() => Promise<Run>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  interface Service {
    readonly url: string;
    readonly metric: (name: string) => Promise<number>;
    readonly probe: (path: string) => Promise<number>;
    readonly end: () => Promise<Run>;
  }

  async function start(...argv: readonly string[]): Promise<Service> {
    const stop = new AbortController();
    let url = "";
    const running = cluster.run(
      ["fresh", "-C", NS, "--plugin", "wpgate", "--watch", "--poll", "1s", "--listen", "127.0.0.1:0", ...argv],
      { signal: stop.signal, onStderr: (text) => (url ||= /serving (http:\S+)\/metrics/.exec(text)?.[1] ?? "") },
    );
    const end = async (): Promise<Run> => {
      stop.abort();
      return await running;
    };
    ends.push(end);
    await until({ what: "the signer listening", timeoutMs: WAIT_MS, probe: () => url || undefined });
    const get = async (path: string): Promise<Response> => await fetch(`${url}${path}`);
    return {
      ...{ url, end },
      metric: async (name) => {
        const text = await (await get("/metrics")).text();
        return Number(new RegExp(`^wpgate_signer_${name.replace("}", ".*}")}[^ ]* (.+)$`, "m").exec(text)?.[1] ?? NaN);
      },
      probe: async (path) => (await get(path)).status,
    };
  }

  const eventually = async (what: string, probe: () => Promise<boolean>): Promise<void> => {
    await until({ what, timeoutMs: WAIT_MS, intervalMs: 50, probe: async () => ((await probe()) ? true : undefined) });
  };

  test("renews in time, and says so", async () => {
    await put("POST", "--fresh-for", "1s");
    const signer = await start("--for", "2s");
    await eventually("three renewals", async () => (await signer.metric("renewals_total")) >= 3);
    expect(await signer.metric("set_version")).toBe(Number(setVersion(await cluster.live())));
    expect(await signer.metric("last_success_timestamp_seconds")).toBeGreaterThan(1.7e9);
    expect(await signer.metric("failures_total")).toBeNaN();
    const { code, stderr } = await signer.end();
    expect([code, stderr]).toEqual([0, expect.stringContaining("stopped; nothing renews the set any more\n")]);
    await expect(fetch(`${signer.url}/healthz`)).rejects.toThrow();
  });

  test("leaves alone what is fresh, and confirms a new set that is not", async () => {
    const signer = await start();
    await eventually("the first look", async () => (await signer.probe("/readyz")) === 200);
    expect([await kept(), await signer.metric("renewals_total"), await signer.probe("/healthz")]).toEqual([
      undefined,
      0,
      200,
    ]);
    await put("POST");
    const second = Number(setVersion(await cluster.live()));
    await eventually("the new set being seen", async () => (await signer.metric("set_version")) === second);
    expect(await signer.metric("renewals_total")).toBe(0);
    await patch({ op: "remove", path: `${SETS}/0/fresh` });
    await eventually("its confirmation", async () => (await kept())?.set.ver === String(second));
    expect(await signer.metric("expires_in_seconds")).toBeGreaterThan(80_000);
  });

  test("refuses by name, goes on, and is back when the object is in order again", async () => {
    const good = await put("POST", "--fresh-for", "1s");
    const signer = await start("--for", "4s");
    await eventually("the first renewal", async () => (await signer.metric("renewals_total")) >= 1);
    await patch({ op: "replace", path: `${SETS}/0/set`, value: "AAAA" });
    await eventually("the refusal", async () => (await signer.metric('failures_total{code="PROTO"}')) >= 1);
    expect(await signer.probe("/readyz")).toBe(503);
    await eventually("being unhealthy", async () => (await signer.probe("/healthz")) === 503);
    await cluster.apply(good, "--force-conflicts");
    await eventually("being ready again", async () => (await signer.probe("/readyz")) === 200);
    await eventually("being healthy again", async () => (await signer.probe("/healthz")) === 200);
    const { stderr } = await signer.end();
    // However often it happened, it is said once.
    expect(stderr.match(/refused with PROTO/g)).toHaveLength(1);
  });

  test("never confirms an older set, whatever is left in the object", async () => {
    const older = await cluster.plugin("GET");
    await put("POST", "--fresh-for", "1s");
    const signer = await start("--for", "2s");
    await eventually("the first renewal", async () => (await signer.metric("renewals_total")) >= 1);
    const { spec } = parse(older) as LivePlugin;
    await patch({ op: "replace", path: "/spec/pluginConfig", value: spec.pluginConfig });
    await eventually("the refusal", async () => (await signer.metric('failures_total{code="ROLLBACK"}')) >= 2);
    expect(await kept()).toBeUndefined();
  });

  test("survives the API server", async () => {
    await put("POST", "--fresh-for", "1s");
    const signer = await start("--for", "2s");
    await eventually("the first renewal", async () => (await signer.metric("renewals_total")) >= 1);
    await cluster.lab.api.stopServer();
    await eventually("failures", async () => (await signer.metric('failures_total{code="UNAVAILABLE"}')) >= 1);
    await cluster.lab.api.startServer();
    const before = await signer.metric("renewals_total");
    await eventually("renewals again", async () => (await signer.metric("renewals_total")) > before);
    expect(await signer.probe("/readyz")).toBe(200);
  });

  test("what no patience helps against ends it at once", async () => {
    const { code, stderr } = await cluster.run([
      "fresh",
      "-C",
      NS,
      "--plugin",
      "wpgate",
      "--watch",
      "--signer",
      "none.pem",
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("none.pem")]);
    const signer = await start();
    const taken = await fresh("--watch", "--listen", new URL(signer.url).host);
    expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining("--listen: cannot listen on 127.0.0.1:")]);
  });
});
