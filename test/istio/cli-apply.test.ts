/** `wpgate apply` on a real API server. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import { ClusterCli, NS, ownedBy, sha256, WASM_PLUGIN_RULE } from "./cluster-cli.ts";

let cluster: ClusterCli;
beforeAll(async () => {
  cluster = await ClusterCli.start();
});
afterAll(async () => {
  await cluster.stop();
});
beforeEach(async () => {
  await cluster.lab.kubectl(["delete", "wasmplugins", "--all", "-n", NS]);
});

const versionOf = (text: string): string => claimsOf(text).claims.ver!;
const setOf = async (): Promise<string> => versionOf((await cluster.live()).spec.pluginConfig.sets[0]!.set);
const another = (plugin: string): string => plugin.replace("/wpgate:1", "/wpgate:2");

describe("applies", () => {
  test("a dry run shows everything and changes nothing", async () => {
    const { code, stdout, stderr } = await cluster.apply(await cluster.plugin("GET"), "--dry-run");
    expect([code, stderr]).toEqual([0, "wpgate: the server has checked it; nothing was changed\n"]);
    expect(stdout).toMatch(/^team-a\/wpgate {2}created\n/);
    expect(stdout).toContain("+ spec.url: oci://registry.example.com/wpgate:1");
    expect(stdout).toMatch(/\+ namespace team-a: root 1, set \d+ \(.*Z\)\n {4}\+ AuthorizationPolicy\/a\n/);
    await expect(cluster.live()).rejects.toThrow("not found");
  });

  test("creates, and says when nothing changes", async () => {
    const plugin = await cluster.plugin("GET");
    expect((await cluster.apply(plugin)).stdout).toMatch(/^team-a\/wpgate {2}created\n/);
    const live = await cluster.live();
    expect(live.spec).toEqual((parse(plugin) as { spec: unknown }).spec);
    expect(ownedBy(live, "wpgate")).toContain("spec.pluginConfig.sets");
    expect(await cluster.apply(plugin)).toMatchObject({ code: 0, stdout: "team-a/wpgate  unchanged\n" });
    expect((await cluster.live()).metadata.resourceVersion).toBe(live.metadata.resourceVersion);
  });

  test("shows policies as policies, and the rest as fields", async () => {
    await cluster.apply(await cluster.plugin("GET"));
    const { stdout } = await cluster.apply(another(await cluster.plugin("POST")));
    expect(stdout.split("\n").map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        "team-a/wpgate  changed",
        "- spec.url: oci://registry.example.com/wpgate:1",
        "+ spec.url: oci://registry.example.com/wpgate:2",
        "~ AuthorizationPolicy/a",
        "-               - GET",
        "+               - POST",
      ]),
    );
    expect((await cluster.live()).spec.url).toBe("oci://registry.example.com/wpgate:2");
  });

  test("the same for programs", async () => {
    await cluster.apply(await cluster.plugin("GET"));
    const { stdout } = await cluster.apply(await cluster.plugin("PUT"), "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      dryRun: false,
      plugins: [
        {
          ...{ namespace: NS, name: "wpgate", result: "changed", fields: [] },
          namespaces: [{ ns: NS, kind: "changed", comparison: { objects: [{ name: "team-a/a", kind: "changed" }] } }],
        },
      ],
    });
  });

  test("statements that were signed again are no other policies", async () => {
    await cluster.apply(await cluster.plugin("GET"));
    const { stdout } = await cluster.apply(await cluster.plugin("GET", { sign: ["--renew"] }));
    expect(stdout).toContain("= namespace team-a: the same policies, signed again");
  });

  test("from files, several objects, as another manager, where the namespace is given", async () => {
    const plugin = await cluster.plugin("GET");
    cluster.cli.write("one.yaml", plugin.replace(/\n {2}namespace: team-a/, ""));
    cluster.cli.write("two.yaml", plugin.replace("name: wpgate", "name: gateway"));
    const options = ["-n", NS, "--field-manager", "ci"];
    const { stdout } = await cluster.good("apply", "one.yaml", "two.yaml", ...options);
    expect(stdout.match(/^team-a\/\w+ {2}created/gm)).toEqual(["team-a/wpgate  created", "team-a/gateway  created"]);
    expect(ownedBy(await cluster.live("gateway"), "ci")).toContain("spec.url");
  });

  test("puts right what somebody has changed", async () => {
    const plugin = await cluster.plugin("GET");
    await cluster.apply(plugin);
    const { set } = (await cluster.live()).spec.pluginConfig.sets[0]!;
    const bytes = Buffer.from(set, "base64url");
    // The version that the set gives the policy: still a set, with the version that it had.
    bytes.write("9", bytes.indexOf('"ver":"') + '"ver":"'.length);
    const patch = [{ op: "replace", path: "/spec/pluginConfig/sets/0/set", value: bytes.toString("base64url") }];
    await cluster.lab.kubectl(["patch", "wasmplugin", "wpgate", "-n", NS, "--type=json", "-p", JSON.stringify(patch)]);
    const { code, stderr } = await cluster.apply(plugin, "--force-conflicts");
    expect([code, stderr]).toEqual([0, expect.stringContaining("is there: somebody has changed it")]);
    expect((await cluster.live()).spec.pluginConfig.sets[0]!.set).toBe(set);
  });

  test("the owner's part alone, beside what somebody else has applied", async () => {
    const whole = await cluster.plugin("GET");
    const content = await cluster.cli.good("wasmplugin", `${NS}/bundle.json`, "--content");
    const refused = await cluster.apply(content);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("hint: this is the owner's part alone"),
    ]);
    await cluster.apply(
      whole.replace(/pluginConfig:[^]*$/, "pluginConfig: { wpgate: 1, sets: [] }\n"),
      "--field-manager=platform",
    );
    await cluster.lab.kubectl([
      "patch",
      "wasmplugin",
      "wpgate",
      "-n",
      NS,
      "--type=json",
      "--field-manager=platform",
      "-p",
      '[{"op": "remove", "path": "/spec/pluginConfig/sets"}]',
    ]);
    expect((await cluster.apply(content, "--force-conflicts")).stdout).toMatch(
      /^team-a\/wpgate {2}changed\n {2}\+ namespace team-a/,
    );
    const live = await cluster.live();
    expect(ownedBy(live, "wpgate")).toEqual(["spec.pluginConfig.sets", "spec.pluginConfig.wpgate"]);
    expect(ownedBy(live, "platform")).toContain("spec.url");
  });

  test("leaves what an online signer keeps", async () => {
    await cluster.apply(await cluster.plugin("GET"));
    await cluster.good("fresh", "-C", NS, "--plugin", "wpgate");
    const { fresh } = (await cluster.live()).spec.pluginConfig;
    expect(await cluster.apply(await cluster.plugin("POST"))).toMatchObject({ code: 0, stderr: "" });
    // Also when the object comes back from the cluster, with the signer's field in it.
    const exported = JSON.stringify(await cluster.live());
    expect(await cluster.apply(exported)).toMatchObject({ code: 0, stdout: "team-a/wpgate  unchanged\n" });
    const live = await cluster.live();
    expect(live.spec.pluginConfig.fresh).toEqual(fresh);
    expect(ownedBy(live, "wpgate").filter((path) => path.includes("fresh"))).toEqual([]);
  });
});

describe("refuses", () => {
  test("what is older than what is there, naming both", async () => {
    const older = await cluster.plugin("GET");
    const before = versionOf(cluster.cli.bundle().set!);
    await cluster.apply(await cluster.plugin("POST"));
    const after = await setOf();
    const refused = await cluster.apply(older);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(
      `refused with ROLLBACK at team-a/wpgate: team-a: set ${after} is there, and this is ${before}`,
    );
    expect(await setOf()).toBe(after);
    expect((await cluster.apply(older, "--allow-older")).code).toBe(0);
    expect(await setOf()).toBe(before);
  });

  test("the older of two that are applied at once", async () => {
    const first = await cluster.plugin("GET");
    await cluster.apply(first);
    const plugins = [await cluster.plugin("POST"), await cluster.plugin("PUT"), await cluster.plugin("PATCH")];
    const newest = versionOf(cluster.cli.bundle().set!);
    const runs = await Promise.all(plugins.map((plugin) => cluster.apply(plugin)));
    expect(runs.at(-1)?.code).toBe(0);
    for (const { code, stderr } of runs) expect(code === 0 || stderr.includes("ROLLBACK"), stderr).toBe(true);
    expect(await setOf()).toBe(newest);
  });

  test("fields that another manager owns, unless told to take them over", async () => {
    const plugin = await cluster.plugin("GET");
    await cluster.apply(plugin);
    const patch = JSON.stringify({ spec: { url: "oci://other/w:1", priority: 7 } });
    await cluster.lab.kubectl([
      "patch",
      "wasmplugin",
      "wpgate",
      "-n",
      NS,
      "--type=merge",
      "--field-manager=argocd",
      "-p",
      patch,
    ]);
    const { code, stderr } = await cluster.apply(another(plugin));
    expect([code, stderr]).toEqual([
      1,
      "wpgate: error: wasmplugins.extensions.istio.io wpgate in namespace team-a: argocd owns spec.url\n" +
        "wpgate: hint: leave these fields to it, or take them over with --force-conflicts\n",
    ]);
    expect((await cluster.apply(another(plugin), "--force-conflicts")).code).toBe(0);
    expect((await cluster.live()).spec).toMatchObject({ url: "oci://registry.example.com/wpgate:2", priority: 7 });
  });

  test.each([
    ["another object", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "is no WasmPlugin"],
    ["a WasmPlugin of somebody else", "PLUGIN", "carries no bundle of wpgate"],
    ["nothing", "\n", "holds nothing to apply"],
    ["no envelope", "BROKEN", "carries what is no envelope"],
  ])("%s", async (_, text, message) => {
    const plugin = await cluster.plugin("GET");
    const texts: Readonly<Record<string, string>> = {
      PLUGIN: plugin.replace(/pluginConfig:[^]*$/, "pluginConfig: {}\n"),
      BROKEN: plugin.replace(/(roots:\n +- ).*/, "$1AAAA"),
    };
    const { code, stdout, stderr } = await cluster.apply(texts[text] ?? text);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining(message)]);
  });

  test("with a field that Istio does not know, in the server's words", async () => {
    const plugin = (await cluster.plugin("GET")).replace("spec:\n", "spec:\n  failOpen: true\n");
    const { code, stderr } = await cluster.apply(plugin);
    expect([code, stderr]).toEqual([1, expect.stringContaining(".spec.failOpen: field not declared in schema")]);
  });

  test("what an admission policy refuses, in its words", async () => {
    const message = "modules come from the platform team";
    const name = "no-modules";
    const api = "admissionregistration.k8s.io/v1";
    await cluster.lab.apply(
      {
        ...{ apiVersion: api, kind: "ValidatingAdmissionPolicy", metadata: { name } },
        spec: {
          matchConstraints: {
            resourceRules: [{ ...WASM_PLUGIN_RULE, apiVersions: ["*"], operations: ["CREATE", "UPDATE"] }],
          },
          validations: [{ expression: "object.spec.url.endsWith('wpgate:1')", message }],
        },
      },
      {
        ...{ apiVersion: api, kind: "ValidatingAdmissionPolicyBinding", metadata: { name } },
        spec: { policyName: name, validationActions: ["Deny"] },
      },
    );
    const plugin = another(await cluster.plugin("GET"));
    const refused = await until({
      what: "the policy being in force",
      probe: async () => {
        const run = await cluster.apply(plugin, "--dry-run");
        return run.code === 0 ? undefined : run;
      },
    });
    await cluster.lab.kubectl(["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", name]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(`was refused: .*${message}\n$`)]);
  });
});

describe("says who may not do what", () => {
  test("verb by verb, with the rule that allows it", async () => {
    const plugin = await cluster.plugin("GET");
    const user = await cluster.account("ci");
    const subject = "wasmplugins.extensions.istio.io wpgate in namespace team-a";
    const rules: { verbs: string[]; resourceNames?: string[] }[] = [];
    for (const verb of ["get", "patch", "create"]) {
      const { code, stderr } = await cluster.run(["apply"], { stdin: plugin, user });
      const names = verb === "create" ? "" : ", resourceNames: [wpgate]";
      expect([code, stderr]).toEqual([
        1,
        `wpgate: error: system:serviceaccount:team-a:ci may not ${verb} ${subject}\n` +
          "wpgate: hint: this rule allows it, in a Role in team-a: " +
          `{apiGroups: [extensions.istio.io], resources: [wasmplugins]${names}, verbs: [${verb}]}\n`,
      ]);
      const [, rule = ""] = /Role in team-a: (.*)\n$/.exec(stderr) ?? [];
      rules.push(parse(rule) as (typeof rules)[number]);
      await cluster.allow("ci", ...rules);
      await until({
        what: `${verb} being allowed`,
        probe: async () => {
          const again = await cluster.run(["apply"], { stdin: plugin, user });
          return again.stderr.includes(`may not ${verb} `) ? undefined : true;
        },
      });
    }
    expect(await setOf()).toBe(versionOf(cluster.cli.bundle().set!));
  });

  test("who is nobody, and a server that is not there", async () => {
    const plugin = await cluster.plugin("GET");
    const stranger = await cluster.lab.api.kubeconfig("stranger", sha256("token"));
    const unknown = await cluster.run(["apply"], { stdin: plugin, user: stranger });
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("does not know who asks")]);
    cluster.cli.write(
      "down.json",
      JSON.stringify({
        ...{ clusters: [{ name: "x", cluster: { server: "https://127.0.0.1:1" } }], users: [] },
        ...{ contexts: [{ name: "x", context: { cluster: "x", user: "x" } }], "current-context": "x" },
      }),
    );
    const down = await cluster.run(["apply"], { stdin: plugin, user: "down.json" });
    expect([down.code, down.stderr]).toEqual([
      1,
      expect.stringContaining("cannot reach the API server https://127.0.0.1:1"),
    ]);
  });

  test("a namespace that is not there", async () => {
    const plugin = (await cluster.plugin("GET")).replace("namespace: team-a", "namespace: nowhere");
    const { code, stderr } = await cluster.apply(plugin);
    expect([code, stderr]).toEqual([1, expect.stringContaining("there is no namespace nowhere")]);
  });
});

test("the example of its help works when pasted, with a kubeconfig", async () => {
  const [, lines = ""] = (await cluster.run(["apply", "--help"])).stdout.split("\nExample:\n");
  cluster.cli.write("plugin.yaml", await cluster.plugin("GET"));
  const commands = lines.trim().split("\n");
  expect(commands).toHaveLength(2);
  for (const command of commands) await cluster.good(...command.trim().split(" ").slice(1));
  expect(await setOf()).toBe(versionOf(cluster.cli.bundle().set!));
});
