/** docs/proxy.md: its files are configurations, and its table has every member with the default that holds. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { printProxyConfig } from "../../xds-proxy/src/config/proxy-print.ts";
import { parseProxyConfig } from "../../xds-proxy/src/config/proxy-schema.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";

const PAGE = readFileSync(projectFile("docs/proxy.md"), "utf8");
const EXAMPLES = [...PAGE.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => parse(text) as unknown);

const read = (value: unknown): ReturnType<typeof parseProxyConfig> =>
  parseProxyConfig(value, { name: "example", folder: "/etc/wpgate" });

test("the examples are one for each mode that is deployed", () => {
  expect(EXAMPLES.map((example) => read(example).mode)).toEqual(["check", "wrap", "unwrap"]);
});

/** Paths of all values, without positions in lists. */
function membersOf(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(item, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) => membersOf(member, path === "" ? name : `${path}.${name}`));
}

/** The first column, with `.key` after `a.cert` written out. */
const ROWS = new Map(
  [...PAGE.matchAll(/^\| (`[a-zA-Z][^|]*?)\s*\| ([^|]*?)\s*\|/gm)].flatMap(([, names = "", fallback = ""]) => {
    const [first = "", ...others] = [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
    const parent = first.slice(0, first.lastIndexOf("."));
    return [first, ...others.map((name) => `${parent}${name}`)].map((name) => [name, fallback] as const);
  }),
);

test("every member is explained", () => {
  const socket = { address: "unix:x", socketMode: "0660" };
  const all = EXAMPLES.flatMap((example) => membersOf(parse(printProxyConfig(read(example)))));
  const more = membersOf({ listen: [socket], namespace: "", recipient: "", upstream: { tls: { serverName: "" } } });
  for (const member of new Set([...all, ...more])) expect([...ROWS.keys()]).toContain(member);
});

test("the defaults are those that hold", () => {
  const printed = parse(printProxyConfig(read({ pin: "p", upstream: { address: "a:1" } }))) as unknown;
  const valueAt = (path: string): unknown =>
    path.split(".").reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>>)[name], printed);
  const members = [
    "mode",
    "state",
    "admin",
    "upstream.connectTimeoutSec",
    "unwrap.heartbeatSec",
    "drainSec",
    "log.level",
  ];
  const limits = ["messageMaxBytes", "requestMaxBytes", "streamsMaxCount", "resourcesMaxCount"];
  for (const member of [...members, ...limits.map((name) => `limits.${name}`)])
    expect([member, ROWS.get(member)?.replaceAll("`", "")]).toEqual([member, String(valueAt(member))]);
});
