/**
 * What somebody who owns istiod can do to a protected port, one attack after the other on what a real istiod sent: each is
 * found, under the clause that it breaks, and each clause is broken by one.
 */
import { describe, expect, test } from "vitest";
import { checkExtension, checkListener, isProtected } from "../../xds-proxy/src/guard/check.ts";
import { sha256Hex } from "../../xds-proxy/src/guard/code.ts";
import { CLAUSES } from "../../xds-proxy/src/guard/clauses.ts";
import type { GuardFinding } from "../../xds-proxy/src/guard/types.ts";
import { editListener, editManagers, editWasm, servesPort } from "./edit.ts";
import { guardOf } from "./guards.ts";

import { REDIRECT, LUA, LUA_CONFIG, guards, inbound, type Attack, lua } from "./attack.ts";
import { ON_FILTERS } from "./attacks-on-filters.ts";
import { ON_CODE } from "./attacks-on-modules.ts";
import { ON_REQUESTS } from "./attacks-on-requests.ts";
import { ON_WAYS } from "./attacks-on-ways.ts";

const ATTACKS: readonly Attack[] = [...ON_FILTERS, ...ON_CODE, ...ON_REQUESTS, ...ON_WAYS];

describe("an attack on what istiod sends", () => {
  test.each(ATTACKS)("$clause: $what", ({ clause, findings }) => {
    const found = findings();
    expect(found.map((finding) => finding.clause)).toContain(clause);
    expect(found.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  test("breaks each clause at least once", () => {
    expect(new Set(ATTACKS.map(({ clause }) => clause))).toEqual(new Set(CLAUSES.keys()));
  });
});

describe("what Istio itself does not send and an owner may want", () => {
  test("code that the owner lists, and only with the digest that is listed", () => {
    const value = editManagers(inbound, servesPort(8080), (manager) => {
      manager.httpFilters.splice(-1, 0, lua());
    });
    const listed = (sha256: string): readonly GuardFinding[] =>
      checkListener(
        value,
        [guardOf("team-a", { code: [{ name: "lua", typeUrl: LUA, sha256: [sha256] }] })],
        REDIRECT.view,
      );
    expect(listed(sha256Hex("x")).map(({ clause }) => clause)).toContain("code");
    expect(listed(sha256Hex(LUA_CONFIG))).toEqual([]);
  });

  test("a belt may be left out", () => {
    const value = editManagers(
      inbound,
      () => true,
      (manager) => {
        manager.httpFilters = manager.httpFilters.filter(({ name }) => name !== "wpgate-belt");
      },
    );
    expect(checkListener(value, [guardOf("team-a", { belt: false })], REDIRECT.view)).toEqual([]);
  });

  test("a module in a file counts by its digest", () => {
    const [value = new Uint8Array()] = REDIRECT.extensions;
    const local = editWasm(value, ({ config }) => {
      if (config?.vm.case === "vmConfig" && config.vm.value.code)
        config.vm.value.code.specifier = {
          case: "local",
          value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "filename", value: "/m.wasm" } },
        };
    });
    const sha256OfFile = (): string => "5f1d7c9a".repeat(8);
    expect(checkExtension(local, guards, { sha256OfFile })).toEqual([]);
  });

  test("without a Guard nothing is refused", () => {
    expect(
      checkListener(
        editListener(inbound, () => undefined),
        [],
        REDIRECT.view,
      ),
    ).toEqual([]);
    expect(isProtected(inbound, [])).toBe(false);
    expect(isProtected(inbound, [guardOf("team-a", { ports: [{ port: 8080 }] })])).toBe(true);
  });
});
