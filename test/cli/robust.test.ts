/** Whatever is in a file that somebody else wrote, it is refused or wrong input: never a bug, never a stack trace. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pluginText } from "../../xds-proxy/src/cli/status-text.ts";
import { VerifyError } from "../../xds-proxy/src/errors.ts";
import { pluginChanges } from "../../xds-proxy/src/kubernetes/plugin-changes.ts";
import { readPluginConfig } from "../../xds-proxy/src/kubernetes/plugin-config.ts";
import { pluginStatus } from "../../xds-proxy/src/kubernetes/plugin-status.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { readConfirmation } from "../../xds-proxy/src/owner/confirmation.ts";
import { parsePin } from "../../xds-proxy/src/owner/pin.ts";
import { Cli, policyYaml } from "./harness.ts";

const cli = new Cli();
let good: NamespaceBundle;
beforeAll(async () => {
  await cli.init();
  cli.write("a.yaml", policyYaml("a"));
  await cli.good("keygen", "--recipient", "r.pem");
  await cli.good("sign", "-C", "team-a", "a.yaml");
  cli.write("s.yaml", policyYaml("s"));
  await cli.good("seal", "-C", "team-a", "s.yaml", "--for", "r.recipient.json");
  cli.write("good.json", cli.read("team-a/bundle.json"));
  good = cli.bundle();
});
afterAll(() => {
  cli.remove();
});

const COMMANDS = [
  ["verify", "x.json", "--pin", "pin.json", "--recipient", "r.pem"],
  ["inspect", "x.json"],
  ["diff", "good.json", "x.json"],
  ["wasmplugin", "x.json", "--url", "oci://r/w", "--sha256", "ab".repeat(32)],
  ["explain", "--pin", "pin.json", "--bundle", "x.json", "--recipient", "r.pem"],
  ["set", "-C", "team-a", "--dry-run"],
] as const;

async function neverABug(text: string): Promise<void> {
  cli.write("x.json", text);
  cli.write("team-a/bundle.json", text);
  for (const argv of COMMANDS) {
    const { code, stderr } = await cli.run(argv);
    expect([0, 1, 2], `${argv.join(" ")}\n${stderr}`).toContain(code);
  }
}

/** An envelope with some of its bytes changed, or cut. */
const damaged = (text: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }), fc.option(fc.nat(), { nil: undefined }))
    .map(([edits, cut]) => {
      const bytes = Buffer.from(text, "base64url");
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      return bytes.subarray(0, cut === undefined ? bytes.length : cut % bytes.length).toString("base64url");
    });

test("damaged envelopes", async () => {
  const bundles = fc.constant(undefined).chain(() =>
    fc.record({
      roots: fc.oneof(fc.constant(good.roots), fc.tuple(...good.roots.map(damaged))),
      set: fc.oneof(fc.constant(good.set), damaged(good.set!)),
      fresh: fc.oneof(fc.constant(good.fresh), damaged(good.fresh!)),
      envelopes: fc.oneof(
        fc.constant(good.envelopes),
        fc.tuple(...good.envelopes.map(damaged)),
        fc.shuffledSubarray([...good.envelopes]),
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(bundles, async (bundle) => {
      await neverABug(JSON.stringify({ wpgate: 1, sets: [bundle] }));
    }),
    { numRuns: 60 },
  );
});

test("damaged envelopes in an object of a cluster", () => {
  const pin = parsePin(cli.read("pin.json"), "pin.json");
  const text = (value: string): fc.Arbitrary<string> => fc.oneof(fc.constant(value), damaged(value), fc.string());
  const configurations = fc.constant(undefined).chain(() =>
    fc.record({
      wpgate: fc.constant(1),
      sets: fc.array(
        fc.record({
          roots: fc.tuple(...good.roots.map(text)),
          set: text(good.set!),
          fresh: text(good.fresh!),
          envelopes: fc.tuple(...good.envelopes.map(text)),
        }),
        { maxLength: 2 },
      ),
      fresh: fc.oneof(fc.constant({}), fc.record({ "team-a": text(good.fresh!) }), fc.anything()),
    }),
  );
  fc.assert(
    fc.property(configurations, (pluginConfig) => {
      const object = { spec: { pluginConfig } };
      const live = { namespace: "team-a", name: "wpgate", resourceVersion: "1", object };
      const status = pluginStatus(live, { nowMs: cli.nowMs, pin });
      expect(pluginText(status!, { paint: (_, shown) => shown, nowSec: 0 })).toContain("team-a/wpgate");
      if (status!.fault !== undefined) return;
      const config = readPluginConfig(object, "x")!;
      pluginChanges({ object, config }, { object: {}, config: { sets: [good], fresh: new Map() } });
      for (const bundle of config.sets) {
        const others = [...config.fresh.values()];
        const options = { pin, ns: "team-a", bundle, others, nowMs: cli.nowMs, seen: undefined };
        expect(confirmable(options)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

/** Whether it is confirmed, or refused by name. */
function confirmable(options: Parameters<typeof readConfirmation>[0]): boolean {
  try {
    return readConfirmation(options).set.ver !== "";
  } catch (error) {
    return error instanceof VerifyError;
  }
}

test("any JSON, any text", async () => {
  const shaped = fc
    .record({ wpgate: fc.constantFrom(1, "1", 2), sets: fc.array(fc.anything()) })
    .map((value) => JSON.stringify(value));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string({ unit: "binary" }), shaped), async (text) => {
      await neverABug(text);
    }),
    { numRuns: 60 },
  );
});

test("any object to sign", async () => {
  const object = fc.record(
    {
      apiVersion: fc.constantFrom<unknown>("security.istio.io/v1", "v1", 1),
      kind: fc.constantFrom<unknown>("AuthorizationPolicy", "List", null),
      metadata: fc.oneof(
        fc.anything(),
        fc.record({ name: fc.constantFrom("a", "A", "__proto__"), labels: fc.anything() }),
      ),
      spec: fc.oneof(
        fc.anything(),
        fc.record({ rules: fc.array(fc.anything()), action: fc.constantFrom("DENY", "x") }),
      ),
      items: fc.anything(),
    },
    { requiredKeys: [] },
  );
  cli.write("team-a/bundle.json", cli.read("good.json"));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        object.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
      async (text) => {
        const { code, stderr } = await cli.run(["sign", "-C", "team-a", "--dry-run", "-"], { stdin: text });
        expect([0, 1, 2], stderr).toContain(code);
      },
    ),
    { numRuns: 150 },
  );
});
