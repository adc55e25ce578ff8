/** What a real istiod sends keeps a Guard that says what it says: nothing that Istio itself makes is refused. */
import { describe, expect, test } from "vitest";
import {
  appliesTo,
  checkCluster,
  checkEndpoints,
  checkExtension,
  checkListener,
  checkRoutes,
  discoveredExtensions,
  isProtected,
} from "../../xds-proxy/src/guard/check.ts";
import { defaultExtension } from "../../xds-proxy/src/guard/parse.ts";
import { readCaptured } from "./captured.ts";
import { KEPT } from "./guards.ts";

const PROTECTED: Readonly<Record<string, number>> = {
  "sidecar-redirect": 1,
  "sidecar-strict": 1,
  "sidecar-none": 1,
  gateway: 2,
};

describe.each(Object.entries(KEPT))("%s", (name, guard) => {
  const { listeners, clusters, endpoints, routes, extensions, labels, view } = readCaptured(name);
  const guards = [guard];

  test("the Guard is this workload's", () => {
    expect(appliesTo(guard, labels)).toBe(true);
    expect(appliesTo(guard, { app: "other" })).toBe(false);
  });

  test("listeners", () => {
    expect(listeners.flatMap((value) => checkListener(value, guards, view))).toEqual([]);
    expect(listeners.filter((value) => isProtected(value, guards))).toHaveLength(PROTECTED[name] ?? 0);
    expect(new Set(listeners.flatMap(discoveredExtensions))).toEqual(new Set([defaultExtension(guard.namespace)]));
  });

  test("clusters, endpoints and routes", () => {
    expect(clusters.flatMap((value) => checkCluster(value, guards, view))).toEqual([]);
    expect(endpoints.flatMap((value) => checkEndpoints(value, guards, view))).toEqual([]);
    expect(routes.flatMap((value) => checkRoutes(value, guards, view))).toEqual([]);
    expect([clusters.length, endpoints.length, routes.length].every((count) => count > 0)).toBe(true);
  });

  test("the filter", () => {
    expect(extensions).toHaveLength(1);
    expect(extensions.flatMap((value) => checkExtension(value, guards))).toEqual([]);
  });
});
