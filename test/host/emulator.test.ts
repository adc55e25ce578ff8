/** The emulated host itself: what it refuses to load, and that it notices a thread which goes its own way. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFile } from "node:fs/promises";
import { compileTiny } from "../e2e/tiny-module.ts";
import type { TinyModule } from "../e2e/tiny-module.ts";
import { Emulator } from "./emulator.ts";
import { Status } from "./status.ts";

/** A plugin that lets every request through with the mark, and whose `configure` returns the status of a property. */
const OBEDIENT = `
@external("env", "proxy_get_property") declare function getProperty(p: usize, n: usize, v: usize, m: usize): i32;
export function proxy_on_context_create(id: i32, parent: i32): void {}
export function proxy_on_vm_start(id: i32, size: i32): i32 { return 1; }
export function proxy_on_configure(id: i32, size: i32): i32 {
  if (size == 3) unreachable();
  return i32(getProperty(KEY, 2, OUT, OUT + 4) == 1);
}
export function proxy_on_request_headers(id: i32, count: i32, end: i32): i32 { return setProperty(KEY, 2, ONE, 1); }
export function proxy_on_delete(id: i32): void {}
`;

const compiled: TinyModule[] = [];
async function compile(body: string): Promise<Uint8Array> {
  const tiny = await compileTiny(body);
  compiled.push(tiny);
  return await readFile(tiny.file);
}
let obedient: Uint8Array;
beforeAll(async () => {
  obedient = await compile(OBEDIENT);
});
afterAll(async () => {
  for (const tiny of compiled) await tiny.remove();
});

describe("loading", () => {
  test("a module that wants what no host offers is refused", async () => {
    const module = await compile(
      `@external("env", "proxy_no_such_thing") declare function nothing(): i32;\n${OBEDIENT.replace("return 1;", "return nothing();")}`,
    );
    expect(new Emulator({ module }).deliver({})).toBe("NACK");
  });

  test("a host call at the top level of a module is refused", async () => {
    const module = await compile(`setProperty(KEY, 2, ONE, 1);\n${OBEDIENT}`);
    expect(() => new Emulator({ module }).deliver({})).toThrow("restricted_callback: proxy_set_property");
  });
});

describe("canary and threads", () => {
  test("agree", () => {
    const emulator = new Emulator({ module: obedient, workers: 2 });
    expect(emulator.deliver({})).toBe("ACK");
    expect(emulator.bypassed()).toEqual([]);
    expect(emulator.request("/")).toMatchObject({ status: 200, details: "upstream" });
  });

  test("a canary that refuses or traps changes nothing", () => {
    const emulator = new Emulator({ module: obedient });
    emulator.deliver({});
    expect(emulator.deliver({ configuration: "abc" })).toBe("NACK");
    emulator.process.fault = ({ name, thread }) =>
      name === "proxy_get_property" && thread === "canary" ? Status.internalFailure : undefined;
    expect(emulator.deliver({})).toBe("NACK");
    expect(emulator.status("/")).toBe(200);
  });

  test("a worker that disagrees is left out without a word, and only the belt notices", () => {
    const emulator = new Emulator({ module: obedient, workers: 2 });
    emulator.process.fault = ({ name, thread }) =>
      name === "proxy_get_property" && thread === 1 ? Status.internalFailure : undefined;
    expect(emulator.deliver({})).toBe("ACK");
    expect(emulator.bypassed()).toEqual([1]);
    expect(emulator.status("/", { worker: 0 })).toBe(200);
    expect(emulator.request("/", { worker: 1 })).toMatchObject({ status: 403, details: "belt" });
  });
});
