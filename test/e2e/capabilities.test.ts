/** The list of deploy/envoy/extension-config.yaml: what other code in the module's place can ask of Envoy, and be asked. */
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Sidecar } from "./sidecar.ts";
import type { Push } from "./sidecar.ts";
import { compileTiny } from "./tiny-module.ts";
import type { TinyModule } from "./tiny-module.ts";

let curious: TinyModule;
let sidecar: Sidecar;
beforeAll(async () => {
  // Marks each request, adds a header to it and to its response.
  curious = await compileTiny(`
    @external("env", "proxy_add_header_map_value")
    declare function addHeader(map: i32, k: usize, kn: usize, v: usize, n: usize): i32;
    export function proxy_on_request_headers(context: i32, headers: i32, end: i32): i32 {
      setProperty(KEY, 2, ONE, 1);
      addHeader(0, KEY, 2, ONE, 1);
      return 0;
    }
    export function proxy_on_response_headers(context: i32, headers: i32, end: i32): i32 {
      addHeader(2, KEY, 2, ONE, 1);
      return 0;
    }`);
});
afterEach(async () => {
  await sidecar.stop();
});
afterAll(async () => {
  await curious.remove();
});

async function responseHeader(edit?: Push["edit"]): Promise<unknown> {
  sidecar = await Sidecar.start();
  await sidecar.origin.waitForAck(sidecar.push({ wasm: curious.file, configuration: "{}", ...(edit && { edit }) }));
  const response = await sidecar.get("/");
  expect(response.status).toBe(200);
  return response.headers["ok"];
}

const unrestricted = (resource: JsonObject): JsonObject => {
  const typed = resource["typed_config"] as JsonObject;
  const { capability_restriction_config: list, ...config } = typed["config"] as JsonObject;
  expect(list).toBeDefined();
  return { ...resource, typed_config: { ...typed, config } };
};

test("without it a module changes responses", async () => {
  expect(await responseHeader(unrestricted)).toBe("1");
});

test("with it, what the filter never does is not to be had", async () => {
  expect(await responseHeader()).toBeUndefined();
});
