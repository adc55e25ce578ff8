/** `wpgate proxy` and `wpgate status --proxy` as a person types them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { startAdminServer, type AdminServer } from "../../xds-proxy/src/proxy/admin-server.ts";
import { ProxyMetrics } from "../../xds-proxy/src/proxy/metrics.ts";
import { Cli, type Run } from "../cli/harness.ts";
import { NAMESPACE, NODE, NOW_MS, proxyView, STREAM, type Changes } from "./view.ts";

let cli: Cli;
const admins: AdminServer[] = [];

beforeEach(() => {
  cli = new Cli();
});

afterEach(async () => {
  await Promise.all(admins.splice(0).map((admin) => admin.close()));
  cli.remove();
});

describe("wpgate proxy", () => {
  const COMMON = [
    "proxy",
    "--upstream",
    "127.0.0.1:1",
    "--pin",
    "pin.json",
    "--state",
    "state",
    "--admin",
    "127.0.0.1:0",
  ];

  test("prints what it would run with, options and defaults", async () => {
    const printed = await cli.good(...COMMON, "--listen", "unix:XDS", "--listen", "127.0.0.1:0", "--print-config");
    expect(parse(printed)).toMatchObject({
      ...{ mode: "check", pin: cli.path("pin.json"), state: cli.path("state"), admin: "127.0.0.1:0" },
      upstream: { address: "127.0.0.1:1", connectTimeoutSec: 10 },
      listen: [{ address: `unix:${cli.path("XDS")}`, socketMode: "0600" }, { address: "127.0.0.1:0" }],
    });
    cli.write("printed.yaml", printed);
    expect(await cli.good("proxy", "--config", "printed.yaml", "--print-config")).toBe(printed);
  });

  test.each([
    [["--upstream", "nowhere"], "It must be host:port or unix:PATH"],
    [["--admin", "yes"], "It must be host:port such as 127.0.0.1:15081, or none"],
    [["--mode", "both"], "Allowed choices are check, unwrap, wrap, wrap+unwrap"],
    [["--log-level", "loud"], "Allowed choices are debug"],
  ])("refuses %j", async (argv, message) => {
    const { code, stderr } = await cli.run(["proxy", ...argv]);
    expect(code).toBe(2);
    expect(stderr.toLowerCase()).toContain(message.toLowerCase());
  });

  test("names every fault of a file", async () => {
    cli.write("proxy.yaml", "mode: wrap\nport: 1\n");
    const { code, stderr } = await cli.run(["proxy", "--config", "proxy.yaml"]);
    expect(code).toBe(2);
    expect(stderr.split("\n").filter((line) => line.startsWith("wpgate: error: proxy.yaml: "))).toHaveLength(5);
  });

  test("says where it listens, answers there, and ends in order when it is asked to", async () => {
    await cli.init();
    const stop = new AbortController();
    const lines: string[] = [];
    const running = cli.run([...COMMON, "--listen", "unix:XDS", "--log-level", "warn"], {
      signal: stop.signal,
      onStderr: (text) => lines.push(text),
    });
    const line = await until({
      what: "the line of a start",
      probe: () => lines.find((text) => text.startsWith("wpgate: proxy in mode")),
      context: () => lines.join(""),
    });
    const url = /admin (http:\S+)\n$/.exec(line)?.[1] ?? "";
    expect(line).toBe(
      `wpgate: proxy in mode check listens on unix:${cli.path("XDS")}; upstream 127.0.0.1:1; pinned team-a; admin ${url}\n`,
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    stop.abort();
    const { code, stdout } = await running;
    expect([code, stdout]).toEqual([0, ""]);
    expect(lines.slice(-2)).toEqual(["wpgate: stopping; streams have 5 s to end\n", "wpgate: stopped\n"]);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  test("warns of what anybody on the way can read", async () => {
    await cli.init();
    const argv = ["proxy", "--upstream", "istiod.invalid:1", "--pin", "pin.json", "--state", "/dev/null/x"];
    const { code, stderr } = await cli.run([...argv, "--listen", "0.0.0.0:0", "--admin", "none"]);
    expect(code).toBe(2);
    expect(stderr).toContain("warning: upstream istiod.invalid:1 is plaintext");
    expect(stderr).toContain("warning: listens on 0.0.0.0:0 in plaintext");
    expect(stderr).toContain("/dev/null/x");
  });
});

describe("wpgate status --proxy", () => {
  async function status(changes: Changes, ...more: readonly string[]): Promise<Run & { readonly url: string }> {
    const nowMs = (): number => NOW_MS;
    const metrics = new ProxyMetrics();
    const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
    const admin = await startAdminServer({ address, view: proxyView(changes), metrics, nowMs });
    admins.push(admin);
    return { ...(await run(admin.url, ...more)), url: admin.url };
  }

  async function run(address: string, ...more: readonly string[]): Promise<Run> {
    return await cli.run(["status", "--proxy", address, ...more], { environment: {} });
  }

  test("shows streams, versions, refusals, and what runs out", async () => {
    const { code, stdout, stderr, url } = await status({});
    expect([code, stderr]).toEqual([0, "wpgate: no cluster is configured: this is what the proxy says alone\n"]);
    expect(stdout).toBe(
      [
        `proxy ${url}  check  ready`,
        "  team-a  root 2, set 1893456000000 (2030-01-01T00:00:00Z)  runs out in 3600 s",
        `  ${NODE}  sotw  upstream connected for 10m`,
        "    LDS  version v7  * subscribed, 3 accepted, 1 on the way  refused with filter-missing at virtualInbound: filter_chains[0] has no wpgate filter (30s ago)",
        "",
      ].join("\n"),
    );
  });

  test("as JSON", async () => {
    const { stdout, url } = await status({}, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      proxies: [{ address: url, answer: { mode: "check", streams: [STREAM] } }],
    });
  });

  test.each<[string, Changes, string]>([
    ["it is not ready", { reason: "no root is known" }, "not ready: no root is known"],
    ["something has run out", { namespaces: [{ ...NAMESPACE, expSec: NOW_MS / 1000 }] }, "run out"],
    ["nothing was verified", { namespaces: [{ namespace: "team-a" }] }, "nothing verified"],
    [
      "the upstream is away",
      { streams: [{ ...STREAM, upstream: { state: "waiting", sinceMs: NOW_MS, reason: "refused" } }] },
      "upstream waiting for 0s: refused",
    ],
  ])("ends with 1 when %s", async (_, changes, text) => {
    const { code, stdout } = await status(changes);
    expect(code).toBe(1);
    expect(stdout).toContain(text);
  });

  test("ends with 2 when it can not be asked, or is somebody else", async () => {
    const gone = await run("127.0.0.1:1");
    expect([gone.code, gone.stdout]).toEqual([
      2,
      "proxy http://127.0.0.1:1\n  the proxy at http://127.0.0.1:1 can not be reached\n",
    ]);
    const other = await status({ streams: [{} as never] });
    expect(other.code).toBe(2);
    expect(other.stdout).toContain("answers with something else than its streams");
  });

  test("shows no control characters of others", async () => {
    const { stdout } = await status({ streams: [{ ...STREAM, nodeId: "\u001b[31mred\u202e" }] });
    expect(stdout).toContain("\\u{1b}[31mred\\u{202e}");
  });
});
