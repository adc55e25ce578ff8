/** Commands that look at live objects see the fresh statement that counts; online signers get what they need to write one. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { describe as claimsOf } from "../../xds-proxy/src/owner/describe.ts";
import {
  encodeBundle,
  parseBundle,
  readConfiguration,
  type NamespaceBundle,
} from "../../xds-proxy/src/owner/bundle.ts";
import { freshPatch } from "../../xds-proxy/src/owner/outer-fresh.ts";
import { isRecord } from "../../xds-proxy/src/bytes/record.ts";
import { nowSec, Owner, pinOf, withOuterFresh } from "../scenarios/owner.ts";
import { Cli } from "./harness.ts";

let cli: Cli;
let owner: Owner;
let bundle: NamespaceBundle;
let outer: string;
beforeEach(async () => {
  cli = new Cli();
  cli.nowMs = Date.now();
  owner = await Owner.create({ ns: "team-a" });
  bundle = await owner.bundle({ ver: "5", policies: [], freshExpSec: nowSec() - 3_600, iatSec: nowSec() - 7_200 });
  outer = await owner.confirm(bundle, { ver: "6" });
  cli.write("pin.json", pinOf([owner]));
});
afterEach(() => {
  cli.remove();
});

const pluginConfig = (text: string): unknown => JSON.parse(withOuterFresh([bundle], { "team-a": text }));
const live = (text: string): string =>
  JSON.stringify({ kind: "List", items: [{ kind: "WasmPlugin", spec: { pluginConfig: pluginConfig(text) } }] });
const verify = async (stdin: string): ReturnType<Cli["run"]> =>
  await cli.run(["verify", "-", "--pin", "pin.json", "--json"], { stdin });

test("verify takes the newer one, and names what is wrong with it", async () => {
  expect(JSON.parse((await verify(encodeBundle([bundle]))).stdout)).toMatchObject({ result: "FRESH_STALE" });
  expect(JSON.parse((await verify(live(outer))).stdout)).toMatchObject({ result: "ok" });
  const { code, stderr } = await cli.run(["verify", "-", "--pin", "pin.json"], { stdin: live("?") });
  expect([code, stderr]).toEqual([1, expect.stringContaining("refused with PROTO at team-a: fresh")]);
});

test("inspect shows it, and wasmplugin writes it back into the set", async () => {
  const inspected = await cli.run(["inspect", "-", "--json"], { stdin: live(outer) });
  expect(inspected.stdout).toContain(claimsOf(outer).claims.cd);
  const [set] = parseBundle(live(outer), "x").sets;
  const again = await cli.run(
    ["wasmplugin", "-", "--url", "file:///wpgate.wasm", "--sha256", "0".repeat(64), "-o", "json"],
    { stdin: live(outer) },
  );
  expect([again.code, set?.fresh]).toEqual([0, outer]);
  expect(JSON.parse(again.stdout)).toMatchObject({ spec: { pluginConfig: { wpgate: 1, sets: [{ fresh: outer }] } } });
});

test("a signer reads what is there, and writes its own field only", () => {
  const config = pluginConfig(outer);
  if (!isRecord(config)) throw new Error("not an object");
  const { sets, fresh } = readConfiguration(config, "plugin");
  expect([sets, [...fresh]]).toEqual([[{ ...bundle, fresh: outer }], [["team-a", outer]]]);
  expect(freshPatch({ "team-a": "text" })).toEqual({ pluginConfig: { fresh: { "team-a": "text" } } });
});

test("another namespace's is none of its business, nor where no root can be read", () => {
  const other = withOuterFresh([bundle, { ...bundle, roots: [] }], { "team-b": outer });
  expect(parseBundle(other, "x").sets).toEqual([bundle, { ...bundle, roots: [] }]);
  const unreadable = { ...bundle, roots: ["?"] };
  expect(parseBundle(withOuterFresh([unreadable], { "team-a": outer }), "x").sets).toEqual([unreadable]);
});
