/** The file that is shipped: its interface, its size, and the place inside it for the pin. */
import { expect, test } from "vitest";
import { LimitError, ParseError } from "../../../xds-proxy/src/errors.ts";
import { pinModule, pinOf } from "../../../xds-proxy/src/pin/pin-module.ts";
import { Emulator } from "../../host/emulator.ts";
import { shippedModule } from "../../host/shipped-module.ts";
import { LISTED_EXPORTS, LISTED_IMPORTS } from "../../host/wasm-interface.ts";

const shipped = shippedModule();
const PIN = { role: "policy", mesh: "mesh", trustDomain: "cluster.local", rootNamespace: "", roots: {} };
const MAGIC = "wpgate: trust root pin>>";

test("asks the host for nothing but what is listed, and offers nothing else", () => {
  const module = new WebAssembly.Module(shipped);
  const imports = WebAssembly.Module.imports(module).map(({ module: from, name, kind }) => `${kind} ${from}.${name}`);
  expect(imports.toSorted()).toEqual(LISTED_IMPORTS.map(({ from, name }) => `function ${from}.${name}`).toSorted());
  const exports = WebAssembly.Module.exports(module).map(({ name, kind }) => `${kind} ${name}`);
  const listed = LISTED_EXPORTS.map((name) => `${name === "memory" ? "memory" : "function"} ${name}`);
  expect(exports.toSorted()).toEqual(listed.toSorted());
});

test("has at most 160 KiB", () => {
  expect(shipped.length).toBeLessThanOrEqual(160 * 1024);
});

test("is shipped without a pin, and pinning changes nothing else", () => {
  expect(pinOf(shipped)).toBeUndefined();
  const pinned = pinModule(shipped, PIN);
  expect(pinOf(pinned)).toBe(JSON.stringify(PIN));
  expect(pinned.length).toBe(shipped.length);
  const start = Buffer.from(shipped).indexOf(MAGIC) + MAGIC.length + 4;
  const changed = [...pinned].flatMap((byte, i) => (byte === shipped[i] ? [] : [i]));
  expect(Math.min(...changed)).toBeGreaterThanOrEqual(start);
  expect(Math.max(...changed)).toBeLessThan(start + 4 + JSON.stringify(PIN).length);
});

test("a pin is replaced as a whole", () => {
  const long = { ...PIN, roots: Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`ns-${i}`, "A".repeat(43)])) };
  expect(pinModule(pinModule(shipped, long), PIN)).toEqual(pinModule(shipped, PIN));
  expect(pinModule(shipped, JSON.stringify(PIN))).toEqual(pinModule(shipped, PIN));
});

test("there is room for 4096 bytes", () => {
  const text = (length: number): string => JSON.stringify(PIN).padEnd(length);
  expect(pinOf(pinModule(shipped, text(4096)))).toBe(text(4096));
  expect(() => pinModule(shipped, text(4097))).toThrow(LimitError);
});

test.each<[string, Uint8Array, string]>([
  ["text", Buffer.from("text"), "this is not a WebAssembly module"],
  ["another module", shipped.slice(0, 8), "the module has no place for a pin"],
  ["a module with two places", Buffer.concat([shipped, shipped]), "the module has more than one place for a pin"],
  [
    "a module that is cut off",
    shipped.slice(0, Buffer.from(shipped).indexOf(MAGIC) + 40),
    "the module's place for a pin is damaged",
  ],
  ["one cut off in the header", shipped.slice(0, Buffer.from(shipped).indexOf(MAGIC) + 30), "the module is cut off"],
])("%s cannot be pinned", (_, bytes, message) => {
  expect(() => pinModule(bytes, PIN)).toThrow(new ParseError("DOCUMENT", message));
});

test.each([
  ["empty", ""],
  ["not JSON", "x"],
  ["for another role", JSON.stringify({ ...PIN, role: "ads" })],
  ["with a member too many", JSON.stringify({ ...PIN, more: 1 })],
  ["with a root that is no digest", JSON.stringify({ ...PIN, roots: { "team-a": "AA" } })],
])("a pin that is %s is none", (_, text) => {
  const emulator = new Emulator({ module: pinModule(shipped, text) });
  expect(emulator.deliver({ configuration: '{"wpgate":1,"sets":[]}' })).toBe("ACK");
  expect(emulator.logTexts()).toContain("wpgate: this module is not pinned: every request gets 503");
  expect(emulator.status("/")).toBe(503);
});

test("a length in the region that is too large is no pin", () => {
  const broken = pinModule(shipped, PIN);
  Buffer.from(broken.buffer).writeUInt32LE(4097, Buffer.from(broken).indexOf(MAGIC) + MAGIC.length + 4);
  const emulator = new Emulator({ module: broken });
  expect(emulator.deliver({})).toBe("ACK");
  expect(emulator.logTexts()).toContain("wpgate: this module is not pinned: every request gets 503");
});
