/** From the command line to Envoy, through files only: what an owner and an operator really do. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Cli, policyYaml } from "../cli/harness.ts";
import { Sidecar } from "./sidecar.ts";

const cli = new Cli();
let sidecar: Sidecar;

beforeAll(async () => {
  cli.nowMs = Date.now();
  await cli.init("--paths", "istio");
  await cli.good("keygen", "--recipient", "team-a/recipients/shop.pem");
  await cli.good("filter", "env", "team-a/recipients/shop.pem", "--out", "shop.env");
  await cli.good("filter", "pin", "--pin", "pin.json", "--out", "pinned.wasm");
  const [name = "", value = ""] = cli.read("shop.env").trim().split("=");
  sidecar = await Sidecar.start({ environment: { [name]: value } });
});
afterAll(async () => {
  await sidecar.stop();
  cli.remove();
});

/** Hands `bundle.json` to Envoy as it is. */
async function deliver(): Promise<void> {
  const configuration = cli.read("team-a/bundle.json");
  await sidecar.origin.waitForAck(sidecar.push({ wasm: cli.path("pinned.wasm"), configuration }));
}

async function answers(method: string, status: number): Promise<void> {
  let seen = 0;
  await until({
    what: `${method} answered with ${status}`,
    probe: async () => ((seen = (await sidecar.get("/", { method })).status) === status ? true : undefined),
    context: () => `seen: ${seen}`,
  });
}

test("what is signed and sealed is enforced", async () => {
  cli.write("allow.yaml", policyYaml("allow", { method: "GET, PUT" }));
  cli.write("deny.yaml", policyYaml("deny", { action: "DENY", method: "PUT" }));
  await cli.good("sign", "-C", "team-a", "allow.yaml", "--seal", "deny.yaml");
  await deliver();
  await answers("GET", 200);
  await answers("PUT", 403);
  await answers("POST", 403);
});

test("and so is what replaces it, under keys that were rotated meanwhile", async () => {
  await cli.good("root", "rotate", "-C", "team-a", "--role", "cfg");
  await cli.good("seal", "-C", "team-a", "deny.yaml");
  await cli.good("root", "rotate", "-C", "team-a");
  await cli.good("set", "-C", "team-a", "--remove", "AuthorizationPolicy/deny");
  await deliver();
  await answers("PUT", 200);
});

test("a key that was revoked says nothing any more", async () => {
  const before = cli.bundle();
  cli.pass(1);
  await cli.good("root", "rotate", "-C", "team-a", "--role", "cfg", "--revoke");
  cli.write("allow.yaml", policyYaml("allow", { method: "POST" }));
  await cli.good("sign", "-C", "team-a", "allow.yaml");
  await deliver();
  await answers("POST", 200);
  await answers("GET", 403);
  const mixed = JSON.stringify({ wpgate: 1, sets: [{ ...before, roots: cli.bundle().roots }] });
  const version = sidecar.push({ wasm: cli.path("pinned.wasm"), configuration: mixed });
  expect(await sidecar.origin.waitForNack(version)).toContain("Unable to create Wasm plugin");
  await answers("POST", 200);
});
