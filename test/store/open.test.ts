/** What a store says of a file or a folder that it cannot use: it never starts with an empty one in its place. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConfigError, UpstreamError } from "../../xds-proxy/src/errors.ts";
import { Store } from "../../xds-proxy/src/store/store.ts";
import { keptAt, newFolder } from "./kept.ts";

let folder: string;
beforeEach(() => {
  folder = newFolder();
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("folder and file are the user's alone, and nothing else is left behind", () => {
  const state = join(folder, "new", "state");
  Store.open(state).close();
  expect(modeOf(state)).toBe(0o700);
  expect(modeOf(join(state, "proxy.db"))).toBe(0o600);
  expect(readdirSync(state)).toEqual(["proxy.db"]);
  chmodSync(join(state, "proxy.db"), 0o644);
  const store = Store.open(state);
  store.keepNamespace("team-a", keptAt("1"));
  for (const name of ["proxy.db", "proxy.db-wal", "proxy.db-shm"]) expect(modeOf(join(state, name)), name).toBe(0o600);
  store.close();
});

type Damage = readonly [string, (path: string) => void, string];

const DAMAGED: readonly Damage[] = [
  [
    "text",
    (path) => {
      writeFileSync(path, "not a database at all".repeat(100));
    },
    "is damaged or not a database (SQLITE_NOTADB)",
  ],
  [
    "cut off to nothing",
    (path) => {
      truncateSync(path, 0);
    },
    "is empty, and wpgate leaves no empty file: somebody cut it off",
  ],
  [
    "cut in half",
    (path) => {
      truncateSync(path, statSync(path).size / 2);
    },
    "is damaged",
  ],
  ["overwritten in the middle", overwriteMiddle, "is damaged"],
  [
    "another program's",
    (path) => {
      foreign(path);
    },
    "is a file of another program",
  ],
  [
    "away without its log",
    (path) => {
      copyFileSync(path, `${path}-wal`);
      rmSync(path);
    },
    "is gone, while what was written to it last (-wal) is still there",
  ],
];

test.each(DAMAGED)("%s: refused with what to do, and left as it is", (_what, damage, message) => {
  const store = Store.open(folder);
  for (let ver = 1; ver < 200; ver++) store.keepNamespace(`ns-${ver}`, keptAt(String(ver)));
  store.close();
  damage(store.path);
  const before = readdirSync(folder);
  const caught = failure(() => Store.open(folder));
  expect(caught).toBeInstanceOf(ConfigError);
  expect(caught.message).toContain(`${store.path}: ${message}`);
  expect(caught).toMatchObject({
    hint: expect.stringContaining(`move it away together with ${store.path}-wal`) as string,
  });
  expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(before));
});

test("a file of a newer version asks for that version, and is not changed", () => {
  const { path } = closed(folder);
  const database = new Database(path);
  database.pragma("user_version = 9");
  database.close();
  const before = readFileSync(path);
  const caught = failure(() => Store.open(folder));
  expect(caught).toBeInstanceOf(ConfigError);
  expect(caught.message).toBe(`${path}: was written by a newer wpgate (version 9 of the file, known: 1)`);
  expect(caught).toMatchObject({ hint: expect.stringContaining("start that version again") as string });
  expect(before.equals(readFileSync(path))).toBe(true);
});

test("a folder that is a file, and a name that is a folder", () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const caught = failure(() => Store.open(join(file, "state")));
  expect(caught).toBeInstanceOf(ConfigError);
  expect(caught.message).toBe(`${join(file, "state")}: is not a folder, or its path is none (ENOTDIR)`);
  mkdirSync(join(folder, "proxy.db"));
  expect(failure(() => Store.open(folder)).message).toContain(
    "proxy.db: cannot be opened for writing (SQLITE_CANTOPEN",
  );
});

test("a folder of somebody else's that cannot be written", () => {
  chmodSync(folder, 0o555);
  const script = `
    import { Store } from ${JSON.stringify(join(import.meta.dirname, "../../xds-proxy/src/store/store.ts"))};
    // Nobody; whoever runs the tests as somebody else cannot write to it either.
    if (process.getuid() === 0) process.setuid(65534);
    try { Store.open(process.argv[1]); console.log("opened"); } catch (error) { console.log(error.name, error.message); }`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", script, folder],
    { encoding: "utf8" },
  );
  chmodSync(folder, 0o755);
  expect(stderr).toBe("");
  expect(stdout).toBe(`ConfigError ${join(folder, "proxy.db")}: cannot be written (EACCES)\n`);
});

test("another process that does not let go of it is waited for, and named", () => {
  const { path } = closed(folder);
  const other = new Database(path);
  other.exec("BEGIN EXCLUSIVE");
  const caught = failure(() => Store.open(folder));
  other.close();
  expect(caught).toBeInstanceOf(UpstreamError);
  expect(caught).toMatchObject({
    code: "TIMEOUT",
    message: `${path}: another process does not let go of it (SQLITE_BUSY)`,
  });
});

function closed(at: string): Store {
  const store = Store.open(at);
  store.close();
  return store;
}

function overwriteMiddle(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, bytes.length / 2, bytes.length / 2 + 4096);
  writeFileSync(path, bytes);
}

function foreign(path: string): void {
  rmSync(path);
  const database = new Database(path);
  database.exec("CREATE TABLE cookies (name TEXT)");
  database.close();
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function failure(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}
