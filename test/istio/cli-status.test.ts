/** `wpgate status` on a real API server, and beside it an Envoy that istiod configures. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import type { Run } from "../cli/harness.ts";
import type { Workload } from "../lab/workload.ts";
import { ClusterCli, NS, WASM_PLUGIN_RULE } from "./cluster-cli.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let cluster: ClusterCli;
beforeAll(async () => {
  cluster = await ClusterCli.start({ istiodEnvironment: { PILOT_DEBOUNCE_AFTER: "10ms" } });
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(() => {
  cluster.aheadMs = 0;
});

const status = async (...argv: readonly string[]): Promise<Run> => await cluster.run(["status", "-n", NS, ...argv]);
const json = async (...argv: readonly string[]): Promise<unknown> =>
  JSON.parse((await status("--json", ...argv)).stdout);
const setVersion = (): string => claimsOf(cluster.cli.bundle().set!).claims.ver!;

async function put(method: string, more: readonly string[] = []): Promise<string> {
  const plugin = await cluster.plugin(method, { more });
  const { code, stderr } = await cluster.apply(plugin, "--force-conflicts");
  if (code !== 0) throw new Error(stderr);
  return plugin;
}

describe("of a cluster", () => {
  beforeEach(async () => {
    await cluster.lab.kubectl(["delete", "wasmplugins", "--all", "-n", NS]);
    await put("GET", ["--selector", "app=shop"]);
  });

  test("what runs where, unverified without a pin", async () => {
    const { code, stdout, stderr } = await status();
    expect([code, stderr]).toEqual([0, "wpgate: signatures were not checked; give --pin for that\n"]);
    const [plugin, set] = stdout.split("\n");
    expect(plugin).toMatch(
      /^team-a\/wpgate {2}ok {2}SERVER, app=shop, oci:\/\/registry.example.com\/wpgate:1 [0-9a-f]{8}, FAIL_RELOAD$/,
    );
    expect(set).toMatch(
      /^ {2}team-a {2}ok, unverified {2}root 1, set \d+ \(.*Z\), 1 object, fresh until .*Z \(2[34]h\), next to run out: root 1 in (89|90)d$/,
    );
  });

  test("verified under a pin, for programs too", async () => {
    const { code, stdout, stderr } = await status("--pin", "pin.json");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\n {2}team-a {2}ok {2}root 1, /);
    expect(await json("--pin", "pin.json")).toMatchObject({
      ok: true,
      envoys: [],
      plugins: [
        {
          ...{ condition: "ok", namespace: NS, name: "wpgate", selector: { app: "shop" }, modes: ["SERVER"] },
          sets: [{ verified: true, findings: [], summary: { ns: NS, set: { ver: setVersion() }, objectCount: 1 } }],
        },
      ],
    });
  });

  test("of all namespaces, as the example of its help says", async () => {
    const [, line = ""] = (await cluster.run(["status", "--help"])).stdout.split("\nExample:\n");
    expect((await cluster.good(...line.trim().split(" ").slice(1))).stdout).toContain("team-a/wpgate");
  });

  test("counts what an online signer has confirmed", async () => {
    cluster.aheadMs = DAY_MS - HOUR_MS;
    expect((await status()).stdout).toContain("warning: less than half of the confirmation's life is left");
    expect((await status()).code).toBe(0);
    await cluster.good("fresh", "-C", NS, "--plugin", "wpgate");
    const { code, stdout } = await status("--pin", "pin.json");
    expect([code, stdout]).toEqual([0, expect.stringContaining("  ok  ")]);
    expect(stdout).not.toContain("warning");
  });

  test("what has run out", async () => {
    cluster.aheadMs = DAY_MS + HOUR_MS;
    const { code, stdout } = await status("--pin", "pin.json");
    expect([code, stdout]).toEqual([1, expect.stringContaining("expired: nobody has confirmed the set lately")]);
    expect(await json()).toMatchObject({ ok: false, plugins: [{ condition: "expired" }] });
  });

  test("what consumers refuse, by its code, under a pin only", async () => {
    const patch = [{ op: "replace", path: "/spec/pluginConfig/sets/0/envelopes", value: [] }];
    await cluster.lab.kubectl(["patch", "wasmplugin", "wpgate", "-n", NS, "--type=json", "-p", JSON.stringify(patch)]);
    expect((await status()).code).toBe(0);
    const { code, stdout } = await status("--pin", "pin.json");
    expect([code, stdout]).toEqual([1, expect.stringContaining("refused with OMITTED: set: ")]);
  });

  test("what can not be read at all", async () => {
    const patch = [{ op: "replace", path: "/spec/pluginConfig/sets", value: "none" }];
    await cluster.lab.kubectl(["patch", "wasmplugin", "wpgate", "-n", NS, "--type=json", "-p", JSON.stringify(patch)]);
    const { code, stdout } = await status();
    expect([code, stdout]).toEqual([1, expect.stringContaining("refused: team-a/wpgate: sets: must be a list")]);
  });

  test("that there is nothing", async () => {
    const { code, stdout, stderr } = await cluster.run(["status", "-n", "default"]);
    expect([code, stdout, stderr]).toEqual([
      1,
      "",
      "wpgate: no WasmPlugin of wpgate is here; look everywhere with -A\n",
    ]);
  });

  test("that it can not be found out, and the rule that allows it", async () => {
    const user = await cluster.account("watcher");
    const refused = await cluster.run(["status", "-n", NS], { user });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      "wpgate: error: system:serviceaccount:team-a:watcher may not list wasmplugins.extensions.istio.io in namespace team-a\n" +
        "wpgate: hint: this rule allows it, in a Role in team-a: {apiGroups: [extensions.istio.io], resources: [wasmplugins], verbs: [list]}\n",
    ]);
    await cluster.allow("watcher", { ...WASM_PLUGIN_RULE, verbs: ["list"] });
    await until({
      what: "the rule being in force",
      probe: async () => ((await cluster.run(["status", "-n", NS], { user })).code === 0 ? true : undefined),
    });
  });
});

describe("of an Envoy", () => {
  let sidecar: Workload;
  let older = "";
  let envoy: readonly string[] = [];
  beforeAll(async () => {
    await cluster.lab.kubectl(["delete", "wasmplugins", "--all", "-n", NS]);
    sidecar = await cluster.lab.startSidecar({ namespace: NS, name: "shop", labels: { app: "shop" } });
    envoy = ["--envoy", `127.0.0.1:${sidecar.envoy.admin.port}`];
    await cluster.cli.good("filter", "pin", "--pin", "pin.json", "--out", "wpgate.wasm");
    older = await put("POST", module());
    await sidecar.answers("/", 403);
    await put("GET", module());
    await sidecar.answers("/", 200);
  });

  /** Later options win. */
  const module = (): readonly string[] => ["--url", `file://${cluster.cli.path("wpgate.wasm")}`];
  const eventually = async (text: string): Promise<Run> => {
    let seen = "";
    return await until({
      ...{ what: text, timeoutMs: 30_000, intervalMs: 50, context: () => seen },
      probe: async () => {
        const run = await status("--pin", "pin.json", ...envoy);
        seen = run.stdout;
        return seen.includes(text) ? run : undefined;
      },
    });
  };

  test("in step, with what it has counted", async () => {
    const { code, stdout } = await eventually("in step with the API");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`team-a {2}in step with the API {2}root 1, set ${setVersion()} .*, expires in 2[34]h`),
    );
    expect(stdout).toMatch(/ {2}.*denied [1-9]\d*/);
    expect(await json(...envoy)).toMatchObject({
      ok: true,
      envoys: [{ enforced: [{ ns: NS, step: "in step", setVersion: Number(setVersion()) }] }],
    });
  });

  test("without any cluster", async () => {
    const environment = { PATH: process.env["PATH"], HOME: cluster.cli.folder };
    const { code, stdout, stderr } = await cluster.cli.run(["status", ...envoy], { environment });
    expect([code, stderr]).toEqual([0, "wpgate: no cluster is configured: this is what Envoy says alone\n"]);
    expect(stdout).toContain("not among these plugins");
  });

  test("ahead of an API that was rolled back, and the refusal by its code", async () => {
    expect((await cluster.apply(older, "--allow-older")).code).toBe(0);
    const { code } = await eventually("ahead: the API has an older set, which is refused");
    expect(code).toBe(1);
    expect((await eventually("refused: ROLLBACK ")).code).toBe(1);
    await put("GET", module());
    expect((await eventually("in step with the API")).code).toBe(0);
  });

  test("which has rejected what somebody has forged, though nobody counts that by code", async () => {
    const patch = [{ op: "replace", path: "/spec/pluginConfig/sets/0/envelopes", value: [] }];
    await cluster.lab.kubectl(["patch", "wasmplugin", "wpgate", "-n", NS, "--type=json", "-p", JSON.stringify(patch)]);
    const { stdout } = await eventually("rejected, for reasons in Envoy's log: ");
    expect(stdout).toMatch(/log: extensions\.istio\.io\/\S*team-a\.wpgate\S* [1-9]/);
    expect(await sidecar.get("/")).toBe(200);
    await put("GET", module());
    expect((await eventually("in step with the API")).code).toBe(0);
  });

  test("behind while nothing reaches it", async () => {
    await cluster.lab.istiod.stop();
    await put("PUT", module());
    const { code, stdout } = await status("--pin", "pin.json", ...envoy);
    expect([code, stdout]).toEqual([1, expect.stringContaining("behind: the API has a newer set")]);
  });

  test("that is not there", async () => {
    const { code, stdout } = await status("--envoy", "127.0.0.1:1");
    expect([code, stdout]).toEqual([2, expect.stringContaining("Envoy at http://127.0.0.1:1 can not be reached")]);
    // What else there is to say is said.
    expect(stdout).toContain("team-a/wpgate");
  });
});
