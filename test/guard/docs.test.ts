/** docs/guard.md: its example is a Guard that has every member, and its table explains every clause. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";
import { parseGuard } from "../../xds-proxy/src/guard/check.ts";
import { CLAUSES } from "../../xds-proxy/src/guard/clauses.ts";

const PAGE = readFileSync(projectFile("docs/guard.md"), "utf8");
const EXAMPLE = parse(/```yaml\n(.*?)```/s.exec(PAGE)?.[1] ?? "") as Readonly<Record<"spec", Spec>>;
/** By the name of the clause. */
const ROWS = [...PAGE.matchAll(/^\| `([^`]+)`\s*\| (.*?)\s*\|$/gm)].map(([, name, attack]) => [name, attack] as const);

type Spec = Readonly<Record<string, unknown>>;

const faultsOf = (spec: Spec): readonly unknown[] => parseGuard(utf8(JSON.stringify({ ...EXAMPLE, spec }))).faults;

test("the example is a Guard", () => {
  const { guard, faults } = parseGuard(utf8(JSON.stringify(EXAMPLE)));
  expect(faults).toEqual([]);
  expect(guard).toMatchObject({ name: "shop", namespace: "team-a", ports: [{ port: 8080, tls: "mutual" }] });
});

test("the example shows every member, and none is just passed over", () => {
  const names = ["selector", "ports", "filter", "belt", "code", "jwt", "http", "routes"];
  expect(Object.keys(EXAMPLE.spec)).toEqual(names);
  const wrong = names.map((name) => faultsOf({ ...EXAMPLE.spec, [name]: 1 }));
  expect(wrong.filter((faults) => faults.length === 0)).toEqual([]);
});

test("what only a comment says can be written", () => {
  const jwt = [{ issuer: "a", jwksSha256: ["ab".repeat(32)], audiences: ["b"], outputHeaders: ["x-c"] }];
  const code = [{ name: "a", typeUrl: "b", sha256: ["ab".repeat(32)] }];
  const ports = [{ port: 1, tls: "simple", clientCa: ["ROOTCA"] }];
  expect(faultsOf({ ...EXAMPLE.spec, jwt, code, ports, selector: {} })).toEqual([]);
});

test("the table has every clause, in the order of the program", () => {
  expect(ROWS.map(([name]) => name)).toEqual([...CLAUSES.keys()]);
  expect(ROWS.filter(([, attack]) => attack === "")).toEqual([]);
});
