/** The SQLite file: made, recognised, brought to the current version, and never replaced by an empty one. */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { ConfigError } from "../errors.ts";
import { onFile, unusable } from "./failure.ts";
import { APPLICATION_ID, MIGRATIONS } from "./schema.ts";

export const FILE_NAME = "proxy.db";
const BUSY_TIMEOUT_MS = 5_000;
/** What the log is cut back to after a large transaction. */
const LOG_KEPT_BYTES = 16 * 1024 * 1024;
/** Of 4 KiB. */
const CHECKPOINT_PAGES = 8_192;
const ONLY_OURS = 0o077;

export interface OpenedDatabase {
  readonly database: Database.Database;
  readonly path: string;
  /** There was none: nothing is known of what was seen before. */
  readonly isNew: boolean;
}

/** A folder that is made here is the user's alone; one that is there keeps its mode, which may be the cluster's doing.
 *  @throws ConfigError, UpstreamError */
export function openDatabase(folder: string, fileMaxBytes: number): OpenedDatabase {
  onFile(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const path = join(folder, FILE_NAME);
  const isNew = onFile(path, () => {
    // In this order: another process makes the file before its log.
    const hasLog = existsSync(`${path}-wal`);
    if (existsSync(path)) return false;
    if (hasLog) throw unusable(path, "is gone, while what was written to it last (-wal) is still there");
    return create(folder, path);
  });
  const database = onFile(path, () => {
    const { mode, size } = statSync(path);
    if (size === 0) throw unusable(path, "is empty, and wpgate leaves no empty file: somebody cut it off");
    if ((mode & ONLY_OURS) !== 0) chmodSync(path, 0o600);
    return new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  });
  try {
    onFile(path, () => {
      prepare(database, path, fileMaxBytes);
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return { database, path, isNew };
}

/** The file appears complete or not at all, so that an empty one is never ours. @returns whether it was this process that made it */
function create(folder: string, path: string): boolean {
  const scratch = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    closeSync(openSync(scratch, "wx", 0o600));
    const database = new Database(scratch);
    try {
      database.pragma("synchronous = FULL");
      database.pragma(`application_id = ${APPLICATION_ID}`);
      migrate(database, scratch);
    } finally {
      database.close();
    }
    linkSync(scratch, path);
    fsyncFolder(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && (error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(scratch, { force: true });
  }
}

function fsyncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function prepare(database: Database.Database, path: string, fileMaxBytes: number): void {
  if (database.pragma("application_id", { simple: true }) !== APPLICATION_ID)
    throw unusable(path, "is a file of another program");
  const [found] = database.pragma("quick_check(1)", { simple: false }) as { quick_check: string }[];
  if (found?.quick_check !== "ok")
    throw unusable(path, `is damaged: ${found?.quick_check ?? "quick_check says nothing"}`);
  database.pragma("journal_mode = WAL");
  database.pragma(`journal_size_limit = ${LOG_KEPT_BYTES}`);
  database.pragma("synchronous = FULL");
  // A push to one Envoy may be some megabytes: as often as SQLite would by itself, the log would be copied back at each.
  database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  database.pragma("foreign_keys = ON");
  migrate(database, path);
  const pageBytes = Number(database.pragma("page_size", { simple: true }));
  database.pragma(`max_page_count = ${Math.ceil(fileMaxBytes / pageBytes)}`);
}

/** Another process may do the same at the same time; the version is read under the lock. */
function migrate(database: Database.Database, path: string): void {
  database
    .transaction(() => {
      const version = Number(database.pragma("user_version", { simple: true }));
      if (version > MIGRATIONS.length)
        throw new ConfigError(
          [
            {
              path,
              message: `was written by a newer wpgate (version ${version} of the file, known: ${MIGRATIONS.length})`,
            },
          ],
          { hint: "start that version again; the file cannot be taken back to an older one" },
        );
      if (version === MIGRATIONS.length) return;
      for (const step of MIGRATIONS.slice(version)) database.exec(step);
      database.pragma(`user_version = ${MIGRATIONS.length}`);
    })
    .immediate();
}
