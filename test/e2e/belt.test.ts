/**
 * The second belt of deploy/envoy/listener.yaml: whatever makes the Wasm filter vanish from the chain, native Envoy then
 * refuses the request. The hole that it closes is shown beside it.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { Sidecar } from "./sidecar.ts";
import type { SidecarOptions } from "./sidecar.ts";
import { compileTiny } from "./tiny-module.ts";
import type { TinyModule } from "./tiny-module.ts";

type HttpFilter = Readonly<Record<string, unknown>>;

/** The listener with its HTTP filters changed. */
function withFilters(edit: (filters: HttpFilter[]) => HttpFilter[]): NonNullable<SidecarOptions["editListener"]> {
  return (listener) => {
    const copy = structuredClone(listener) as JsonObject & {
      filter_chains: { filters: { typed_config: { http_filters: HttpFilter[] } }[] }[];
    };
    const manager = copy.filter_chains[0]!.filters[0]!.typed_config;
    manager.http_filters = edit(manager.http_filters);
    return copy;
  };
}
const without = (name: string): NonNullable<SidecarOptions["editListener"]> =>
  withFilters((filters) => filters.filter((filter) => filter["name"] !== name));

let sidecar: Sidecar;
afterEach(async () => {
  await sidecar.stop();
});

describe("a chain from which wpgate was taken out", () => {
  test("answers 403, and nothing reaches the application", async () => {
    sidecar = await Sidecar.start({ editListener: without("wpgate") });
    expect((await sidecar.get("/")).status).toBe(403);
    const forged = {
      headers: [
        ["wasm.ok", "1"],
        ["x-envoy-wasm-ok", "1"],
        ["ok", "1"],
      ] as const,
    };
    expect((await sidecar.get("/", forged)).status).toBe(403);
    expect(sidecar.app.count()).toBe(0);
  });
});

describe("a filter whose workers fail where the canary passed", () => {
  let broken: TinyModule;
  beforeAll(async () => {
    broken = await compileTiny(`
      export function proxy_on_configure(context: i32, size: i32): i32 {
        const first = getSharedData(KEY, 2, OUT, OUT + 4, OUT + 8) == 1;
        setSharedData(KEY, 2, ONE, 1, 0);
        return first ? 1 : 0;
      }`);
  });
  afterAll(async () => {
    await broken.remove();
  });

  /** Envoy accepts it; the log is the only sign. */
  async function deliverBroken(options: SidecarOptions): Promise<void> {
    sidecar = await Sidecar.start(options);
    await sidecar.origin.waitForAck(sidecar.push({ wasm: broken.file, configuration: "{}" }));
    await sidecar.envoy.log.waitFor(/Failed to configure thread-local Wasm plugin/);
  }

  test("is dropped by Envoy, and every request passes", async () => {
    await deliverBroken({ editListener: without("belt") });
    expect((await sidecar.get("/")).status).toBe(200);
  });

  test.each([1, 2])("is 403 behind the belt, with %i workers", async (concurrency) => {
    await deliverBroken({ concurrency });
    for (let i = 0; i < 10; i++) expect((await sidecar.get("/")).status).toBe(403);
    expect(sidecar.app.count()).toBe(0);
  });
});

describe("a filter that traps", () => {
  let trapping: TinyModule;
  beforeAll(async () => {
    trapping = await compileTiny(`
      export function proxy_on_request_headers(context: i32, headers: i32, end: i32): i32 {
        if (headers > 20) unreachable();
        setProperty(KEY, 2, ONE, 1);
        return 0;
      }`);
  });
  afterAll(async () => {
    await trapping.remove();
  });

  test("is closed while its VM is down, and back by itself", async () => {
    sidecar = await Sidecar.start();
    await sidecar.origin.waitForAck(sidecar.push({ wasm: trapping.file, configuration: "{}" }));
    expect((await sidecar.get("/")).status).toBe(200);
    const headers = Array.from({ length: 30 }, (_, i) => [`h${i}`, "x"] as const);
    expect((await sidecar.get("/", { headers })).status).toBe(503);
    expect(sidecar.app.count()).toBe(1);
    const answered = new Set<number>();
    const back = until({
      what: "the VM being back",
      probe: async () => {
        const { status } = await sidecar.get("/");
        answered.add(status);
        return status === 200 ? true : undefined;
      },
      timeoutMs: 5_000,
    });
    expect(await back).toBe(true);
    expect([...answered].filter((status) => status !== 503)).toEqual([200]);
  });
});
