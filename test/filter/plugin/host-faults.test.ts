/** A host whose calls fail, each in each way: never a trap, never another answer than the canary's, never an open door. */
import { beforeAll, describe, expect, test } from "vitest";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { Gate } from "../../host/gate.ts";
import type { Fault } from "../../host/process.ts";
import { LISTED_IMPORTS } from "../../host/wasm-interface.ts";
import { newReader, Owner } from "../../scenarios/owner.ts";
import type { Policy, Reader } from "../../scenarios/owner.ts";

/** Every status of ABI 0.2.1 that is a failure, and numbers that are none. */
const STATUSES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 76, -1, 2_147_483_647];
const CALLS = LISTED_IMPORTS.map(({ name }) => name);
/** What requests do not depend on: everything goes on without it. */
const HARMLESS = new Set([
  "proxy_log",
  "proxy_set_tick_period_milliseconds",
  "proxy_get_shared_data",
  "proxy_set_shared_data",
  "proxy_define_metric",
  "proxy_increment_metric",
  "proxy_record_metric",
  "proxy_call_foreign_function",
]);

const ON_HEADER: Policy = {
  name: "rule",
  spec: {
    action: "ALLOW",
    rules: [
      {
        from: [{ source: { remoteIpBlocks: ["10.0.0.0/8"] } }],
        to: [{ operation: { methods: ["GET"], paths: ["/1"] } }],
        when: [{ key: "request.headers[x-team]", values: ["blue"] }],
      },
    ],
  },
};
const GOOD = { headers: [["x-team", "blue"]] } as const;

let owner: Owner;
let reader: Reader;
let bundle: NamespaceBundle;
let environment: { WPGATE_RECIPIENT: string };
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a", root: { onStale: "deny" } });
  reader = newReader();
  bundle = await owner.bundle({ policies: [{ ...ON_HEADER, readers: [reader.public] }] });
  environment = { WPGATE_RECIPIENT: Buffer.concat([reader.key.exportRaw(), reader.auth]).toString("base64url") };
});

const failing =
  (call: string, status: number, where: Parameters<Fault>[0]["thread"] | "everywhere" = "everywhere"): Fault =>
  ({ name, thread }) =>
    name === call && (where === "everywhere" || thread === where) ? status : undefined;

describe.each(CALLS)("%s fails", (call) => {
  test("from the start", () => {
    for (const status of STATUSES) {
      const gate = new Gate([owner]);
      gate.process.fault = failing(call, status);
      expect(gate.bundles([bundle], { environment })).toBe("ACK");
      expect(gate.bypassed()).toEqual([]);
      gate.tick();
      const answers = [gate.request("/1", GOOD), gate.request("/2", GOOD), gate.request("/1")];
      expect(answers.map(({ details }) => details)).not.toContain("trap");
      expect(answers.slice(1).filter((answer) => answer.status === 200)).toEqual([]);
      if (HARMLESS.has(call)) expect(answers[0]!.status).toBe(200);
      gate.process.fault = () => undefined;
      gate.tick();
      expect(gate.status("/2", GOOD)).not.toBe(200);
    }
  });

  test("on a worker only, while the canary sees nothing of it", () => {
    for (const status of STATUSES) {
      const gate = new Gate([owner], { workers: 2 });
      gate.process.fault = failing(call, status, 1);
      expect(gate.bundles([bundle], { environment })).toBe("ACK");
      expect(gate.bypassed()).toEqual([]);
      expect(gate.status("/1", { ...GOOD, worker: 0 })).toBe(200);
      expect(gate.status("/2", { ...GOOD, worker: 1 })).not.toBe(200);
    }
  });

  test("during a request to what is in force", () => {
    const gate = new Gate([owner]);
    gate.bundles([bundle], { environment });
    for (const status of STATUSES) {
      gate.process.fault = failing(call, status);
      const good = gate.request("/1", GOOD);
      const bad = gate.request("/2", GOOD);
      expect([good.details, bad.details]).not.toContain("trap");
      expect(bad.status).not.toBe(200);
      if (HARMLESS.has(call)) expect(good.status).toBe(200);
    }
    gate.process.fault = () => undefined;
    expect(gate.status("/1", GOOD)).toBe(200);
  });
});

test("what a request needs and the host does not say is 503, not a guess", () => {
  const gate = new Gate([owner]);
  gate.bundles([bundle], { environment });
  for (const call of ["proxy_get_header_map_pairs", "proxy_get_property"]) {
    gate.process.fault = failing(call, 10);
    expect(gate.request("/1", GOOD)).toMatchObject({ status: 503, details: "wpgate_host_failure" });
  }
  gate.process.fault = failing("proxy_set_property", 10);
  expect(gate.request("/1", GOOD)).toMatchObject({ status: 503, details: "wpgate_host_failure" });
  gate.process.fault = failing("clock_time_get", 10);
  expect(gate.request("/1", GOOD)).toMatchObject({ status: 503, details: "wpgate_stale" });
  gate.process.fault = failing("proxy_send_local_response", 10);
  expect(gate.request("/2", GOOD).details).toBe("paused for ever");
});

test("a namespace that the host says later is enough", () => {
  const gate = new Gate([owner]);
  gate.process.fault = failing("proxy_get_property", 10);
  expect(gate.bundles([bundle], { environment })).toBe("ACK");
  expect(gate.request("/1", GOOD).details).toBe("wpgate_unverified");
  gate.process.fault = () => undefined;
  gate.tick();
  expect(gate.status("/1", GOOD)).toBe(200);
});

test.each([
  ["empty", Buffer.alloc(0)],
  ["too short", Buffer.from([1, 0, 0])],
  ["more pairs than bytes", Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])],
  ["a length past the end", Buffer.from([1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0])],
  ["no final NUL", Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 97, 0, 97])],
])("labels that are no map (%s) apply nothing", (_, labels) => {
  const gate = new Gate([owner]);
  gate.process.property = (path) => (path.endsWith("LABELS") ? labels : Buffer.from("team-a"));
  expect(gate.bundles([bundle], { environment })).toBe("ACK");
  expect(gate.request("/1", GOOD).details).toBe("wpgate_unverified");
});
