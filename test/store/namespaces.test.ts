/** Floors that only rise, also between two processes on one file. */
import { rmSync } from "node:fs";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrustState } from "../../xds-proxy/src/envelope/types.ts";
import { ConfigError, InternalError, UpstreamError, VerifyError } from "../../xds-proxy/src/errors.ts";
import { Store, STORE_LIMITS } from "../../xds-proxy/src/store/store.ts";
import { CLUSTER } from "../../xds-proxy/src/xds/type-url.ts";
import { cluster, keptAt, newFolder, STATE } from "./kept.ts";

let folder: string;
let store: Store;
beforeEach(() => {
  folder = newFolder();
  store = Store.open(folder);
});
afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

test("state and bundle of each namespace are there again after a restart, and replaced as one", () => {
  expect(store.isNew).toBe(true);
  store.keepNamespace("team-a", keptAt("1"));
  store.keepNamespace("team-b", { state: STATE });
  store.keepNamespace("team-a", keptAt("2"));
  store.close();
  store = Store.open(folder);
  expect(store.isNew).toBe(false);
  expect(store.namespaces()).toEqual(
    new Map([
      ["team-a", keptAt("2")],
      ["team-b", { state: STATE }],
    ]),
  );
  store.keepNamespace("team-a", { state: keptAt("3").state });
  expect(store.namespaces().get("team-a")).toEqual({ state: keptAt("3").state });
});

const FALLS: readonly (readonly [string, Partial<TrustState>, VerifyError["code"]])[] = [
  ["minEp 1 after 2", { minEp: 1 }, "ROLLBACK"],
  ["ep 2 after 3", { ep: 2 }, "ROLLBACK"],
  ["another root 3", { rootCd: "other" }, "EQUIVOCATION"],
  // As texts, 9 is more than 10.
  ["setVer 9 after 10", { setVer: "9" }, "ROLLBACK"],
  ["freshVer 3 after 20", { freshVer: "3" }, "ROLLBACK"],
  ["another set 10", { setCd: "other" }, "EQUIVOCATION"],
  ["another fresh 20", { freshCd: "other" }, "EQUIVOCATION"],
  ["iatMax 999 after 1000", { iatMax: 999 }, "ROLLBACK"],
];

test.each(FALLS)(
  "%s: a bug where this process knows better, refused where another one does",
  (reason, change, code) => {
    const other = Store.open(folder);
    store.keepNamespace("team-a", { state: STATE });
    const next = { state: { ...STATE, ...change } };
    const caught = failure(() => {
      store.keepNamespace("team-a", next);
    });
    expect(caught).toBeInstanceOf(InternalError);
    expect(caught.message).toContain(reason);
    const refused = failure(() => {
      other.keepNamespace("team-a", next);
    });
    expect(refused).toBeInstanceOf(VerifyError);
    expect(refused).toMatchObject({ code });
    expect(refused.message).toContain(reason);
    expect(other.namespaces().get("team-a")).toEqual({ state: STATE });
    other.close();
  },
);

test("a higher minEp lets versions start anew, and they rise from there", () => {
  store.keepNamespace("team-a", { state: STATE });
  const anew = { ...STATE, minEp: 3, setVer: "1", setCd: "x", freshVer: "1", freshCd: "y", iatMax: 5 };
  store.keepNamespace("team-a", { state: anew });
  store.keepNamespace("team-a", { state: { ...anew, setVer: "18446744073709551615", setCd: "z" } });
  expect(() => {
    store.keepNamespace("team-a", { state: anew });
  }).toThrow("setVer 1 after 18446744073709551615");
});

test("a flipped bit in a floor is found at the next start", () => {
  store.keepNamespace("team-a", keptAt("41"));
  store.close();
  const database = new Database(store.path);
  database.exec(`UPDATE namespace SET state = replace(state, '"setVer":"41"', '"setVer":"11"')`);
  database.close();
  const caught = failure(() => Store.open(folder));
  expect(caught).toBeInstanceOf(ConfigError);
  expect(caught.message).toBe(`${store.path}: what it holds of the namespace team-a is not what was written`);
  expect(caught).toMatchObject({ hint: expect.stringContaining("move it away together with") as string });
  rmSync(store.path);
  store = Store.open(folder);
});

test("no room: the floor is not written, the caller is told, and accepted resources are given up", () => {
  store.close();
  const faults: unknown[] = [];
  store = Store.open(folder, {
    limits: { fileMaxBytes: 64 * 1024, acceptedMaxBytes: STORE_LIMITS.acceptedMaxBytes },
    onFault: (error) => faults.push(error),
  });
  store.keepNamespace("team-a", keptAt("1"));
  store.keepAccepted("node", CLUSTER, [cluster("a", "x".repeat(200_000))]);
  store.flush();
  expect(faults).toEqual([expect.any(UpstreamError)]);
  expect(String(faults[0])).toContain("no room to write (SQLITE_FULL)");
  const long = { ...keptAt("2"), bundle: { roots: ["r".repeat(200_000)], envelopes: [] } };
  const caught = failure(() => {
    store.keepNamespace("team-a", long);
  });
  expect(caught).toBeInstanceOf(UpstreamError);
  expect(caught.message).toContain(`${store.path}: no room to write (SQLITE_FULL)`);
  expect(store.namespaces().get("team-a")).toEqual(keptAt("1"));
  store.keepNamespace("team-a", keptAt("2"));
  expect(store.namespaces().get("team-a")).toEqual(keptAt("2"));
});

function failure(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
