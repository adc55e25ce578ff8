/**
 * The shipped file in a Proxy-Wasm host that is not Envoy and that nobody here wrote: proxytest of proxy-wasm-go-sdk, on
 * wazero. It has no `verify_signature`, no LABELS, and its compare-and-swap is another; its clock begins with 2022.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { encodeBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { allow, pinnedModule } from "../host/gate.ts";
import { shippedModule } from "../host/shipped-module.ts";
import { newReader, Owner } from "../scenarios/owner.ts";
import type { Policy, Reader } from "../scenarios/owner.ts";

const SOURCE = fileURLToPath(new URL("wazero-host", import.meta.url));
const HOST_STARTS = "2022-01-01T00:00:00Z";

type Step = { readonly configure: string } | { readonly path: string };
interface Scenario {
  /** The one pinned to `owner` when absent. */
  readonly module?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
type Answer =
  { readonly accepted: boolean } | { readonly status: number; readonly details?: string; readonly mark: string };
interface Result {
  readonly answers: readonly Answer[];
  readonly log: string;
}

const DENY_SECRET: Policy = {
  name: "deny-secret",
  spec: { action: "DENY", rules: [{ to: [{ operation: { paths: ["/2"] } }] }] },
};
const ACK: Answer = { accepted: true };
const NACK: Answer = { accepted: false };
const PASSED: Answer = { status: 200, mark: "1" };
const DENIED: Answer = { status: 403, details: "wpgate_denied", mark: "-" };
const UNVERIFIED: Answer = { status: 503, details: "wpgate_unverified", mark: "-" };

let folder: string;
let owner: Owner;
let reader: Reader;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wpgate-wazero-"));
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(HOST_STARTS) });
  owner = await Owner.create({ ns: "team-a" });
  reader = newReader();
  await writeFile(join(folder, "pinned.wasm"), pinnedModule([owner]));
  await writeFile(join(folder, "shipped.wasm"), shippedModule());
  const environment = { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=readonly -buildvcs=false -trimpath" };
  const args = ["-C", SOURCE, "build", "-o", join(folder, "host"), "."];
  const built = await run({ file: "go", args, environment });
  if (built === undefined) throw new Error("this test needs Go 1.24 or newer on the path");
  if (built.exitCode !== 0) throw new Error(`Go cannot build the host: ${built.stderr}`);
}, 300_000);
afterAll(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

async function live({ module = "pinned.wasm", environment = {}, steps }: Scenario): Promise<Result> {
  const scenario = { module: join(folder, module), namespace: "team-a", environment, steps };
  const stdin = JSON.stringify(scenario);
  const output = await run({ file: join(folder, "host"), args: [], environment: {}, stdin });
  if (output?.exitCode !== 0)
    throw new Error(`the host ended with ${output?.exitCode ?? "nothing"}: ${output?.stderr ?? ""}`);
  return { answers: JSON.parse(output.stdout) as readonly Answer[], log: output.stderr };
}

const configure = (bundle: NamespaceBundle): Step => ({ configure: encodeBundle([bundle]) });
const get = (path: string): Step => ({ path });

/** With another path in the first policy, as a carrier would like it. */
function tampered(bundle: NamespaceBundle): NamespaceBundle {
  const [first = "", ...rest] = bundle.envelopes;
  const bytes = Buffer.from(first, "base64url");
  bytes.write('"/3"', bytes.indexOf('"/2"'));
  return { ...bundle, envelopes: [bytes.toString("base64url"), ...rest] };
}

test("allow and deny, by what the owner signed", async () => {
  const bundle = await owner.bundle({ policies: [allow("/1"), allow("/2"), DENY_SECRET] });
  const { answers } = await live({ steps: [get("/1"), configure(bundle), get("/1"), get("/2"), get("/3")] });
  expect(answers).toEqual([UNVERIFIED, ACK, PASSED, DENIED, DENIED]);
});

test("a tampered configuration is refused, and the last good one stays", async () => {
  const good = await owner.bundle({ policies: [allow("/1")] });
  const next = await owner.bundle({ policies: [allow("/2")], ver: "2" });
  const { answers, log } = await live({
    steps: [...[good, tampered(next)].map(configure), get("/1"), get("/2"), configure(next), get("/1"), get("/2")],
  });
  expect(answers).toEqual([ACK, NACK, PASSED, DENIED, ACK, DENIED, PASSED]);
  expect(log).toContain("refused DIGEST");
});

test("tampered from the start, it is closed", async () => {
  const bundle = tampered(await owner.bundle({ policies: [allow("/2")] }));
  const { answers } = await live({ steps: [configure(bundle), get("/2"), get("/3")] });
  expect(answers).toEqual([NACK, UNVERIFIED, UNVERIFIED]);
});

test("an older state does not come back", async () => {
  const old = await owner.bundle({ policies: [allow("/1")] });
  const next = await owner.bundle({ policies: [allow("/2")], ver: "2" });
  const { answers } = await live({ steps: [configure(next), configure(old), get("/1"), get("/2")] });
  expect(answers).toEqual([ACK, ACK, DENIED, PASSED]);
});

test("what is sealed for the key in its environment opens, and without that key nothing does", async () => {
  const sealed = { ...DENY_SECRET, readers: [reader.public] };
  const bundle = await owner.bundle({ policies: [allow("/1"), allow("/2"), sealed] });
  const recipient = Buffer.concat([reader.key.exportRaw(), reader.auth]).toString("base64url");
  const steps = [configure(bundle), get("/1"), get("/2")];
  const opened = await live({ environment: { OTHER: "x", WPGATE_RECIPIENT: recipient }, steps });
  expect(opened.answers).toEqual([ACK, PASSED, DENIED]);
  const keyless = await live({ steps });
  expect(keyless.answers).toEqual([NACK, UNVERIFIED, UNVERIFIED]);
  expect(keyless.log).toContain("refused RECIPIENT");
});

test("as it is shipped, without a pin, it lets nothing through", async () => {
  const bundle = await owner.bundle({ policies: [allow("/1")] });
  const { answers, log } = await live({ module: "shipped.wasm", steps: [configure(bundle), get("/1")] });
  expect(answers[1]).toEqual(UNVERIFIED);
  expect(log).toContain("wpgate: this module is not pinned: every request gets 503");
});
