/** Whatever the bytes are: an answer, never an exception; and no single change of a bit makes an unprotected port of a protected one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkCluster,
  checkEndpoints,
  checkExtension,
  checkListener,
  checkRoutes,
  denyAllExtension,
  denyAllListener,
  discoveredExtensions,
  isProtected,
  parseGuard,
} from "../../xds-proxy/src/guard/check.ts";
import { clusterView, isLoopback } from "../../xds-proxy/src/guard/cluster-view.ts";
import { readConfigDump } from "../../xds-proxy/src/guard/config-dump.ts";
import { readCaptured } from "./captured.ts";
import { guardOf } from "./guards.ts";

const CAPTURED = readCaptured("sidecar-none");
const guards = [guardOf("team-c", { ports: [{ port: 8080, tls: "mutual" }] })];
const real = [CAPTURED.listeners, CAPTURED.clusters, CAPTURED.endpoints, CAPTURED.routes, CAPTURED.extensions].flat();

/** Every question, of bytes that may be anything. */
function ask(value: Uint8Array): void {
  const view = clusterView([value, ...CAPTURED.clusters], [value]);
  const findings = [
    ...checkListener(value, guards, view),
    ...checkRoutes(value, guards, view),
    ...checkCluster(value, guards, view),
    ...checkEndpoints(value, guards, view),
    ...checkExtension(value, guards),
  ];
  expect(findings.every(({ clause, reason }) => clause.length > 0 && reason.length > 0)).toBe(true);
  expect(isProtected(value, guards)).toBeTypeOf("boolean");
  expect(denyAllListener(value)).toBeInstanceOf(Uint8Array);
  expect(discoveredExtensions(value)).toBeInstanceOf(Array);
  expect(parseGuard(value).guard).toBeUndefined();
}

test("random bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), ask), { numRuns: 300 });
});

test("real resources with some bytes changed, or cut", () => {
  const mutated = fc
    .record({
      value: fc.constantFrom(...real),
      edits: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { maxLength: 4 }),
      keep: fc.option(fc.nat(), { freq: 3 }),
    })
    .map(({ value, edits, keep }) => {
      const bytes = Uint8Array.from(value);
      for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
      return keep === null ? bytes : bytes.subarray(0, keep % (bytes.length + 1));
    });
  fc.assert(fc.property(mutated, ask), { numRuns: 300 });
});

test("config dumps of any shape", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const dump = {
        configs: [{ dynamic_listeners: [{ active_state: { listener: value } }], ecds_filters: value }, value],
      };
      expect(readConfigDump(dump).namespace).toBe("");
      expect(readConfigDump(value).listeners).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ...["127.0.0.1", "127.255.0.3", "0.0.0.0", "::1", "::", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1"],
  ...["localhost", "LOCALHOST.", "a.localhost", "0:0:0:0:0:ffff:127.0.0.1"],
])("%s is this machine", (address) => {
  expect(isLoopback(address)).toBe(true);
});

test.each([
  "10.0.0.1",
  "1.127.0.0",
  "fd00::1",
  "::2",
  "::ffff:10.0.0.1",
  "localhost.example.com",
  "127.example.com",
  "1270.0.0.1",
])("%s is another", (address) => {
  expect(isLoopback(address)).toBe(false);
});

test("a denial is the same, whatever its name", () => {
  expect(checkExtension(denyAllExtension("x"), guards)).toEqual([]);
  expect(checkExtension(denyAllExtension(guards[0]?.filter.extension ?? ""), guards)).toEqual([]);
});
