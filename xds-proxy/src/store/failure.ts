/** What SQLite and the file system say of the file, in words for whoever is woken up by it. */
import Database from "better-sqlite3";
import { ConfigError, UpstreamError, WpgateError } from "../errors.ts";

/** Floors against replay are in the file: to go on with an empty one is somebody's decision, never the program's. */
export function startAnewHint(path: string): string {
  return (
    `put back a copy of ${path}, or move it away together with ${path}-wal and ${path}-shm and start again; ` +
    "without it nothing is known of the newest signed state, and an older one that has not expired can be replayed once"
  );
}

/** The file is not what it should be. */
export function unusable(path: string, message: string, details: { cause?: unknown; hint?: string } = {}): ConfigError {
  return new ConfigError([{ path, message }], { hint: startAnewHint(path), ...details });
}

/** Runs `action` on the file at `path`. @throws ConfigError, UpstreamError */
export function onFile<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw cause instanceof WpgateError ? cause : failureOf(path, cause);
  }
}

function failureOf(path: string, cause: unknown): unknown {
  const code = codeOf(cause);
  const row = code === undefined ? undefined : ROWS.find(([pattern]) => pattern.test(code));
  if (row === undefined || code === undefined) return cause;
  const [, kind, message, hint] = row;
  const text = `${message} (${code})`;
  if (kind === "damaged") return unusable(path, text, { cause });
  if (kind === "config") return new ConfigError([{ path, message: text }], { cause, hint });
  return new UpstreamError(kind, `${path}: ${text}`, { cause, where: path, hint });
}

type Row = readonly [
  pattern: RegExp,
  kind: "damaged" | "config" | "UNAVAILABLE" | "TIMEOUT",
  message: string,
  hint: string,
];

const WRITABLE = "give the proxy a state folder of its own that it can write to";
const SPACE = "make room in the state folder";

/** Codes of SQLite ("Result and Error Codes") and of the file system. */
const ROWS: readonly Row[] = [
  [/^SQLITE_(?:CORRUPT|NOTADB)/, "damaged", "is damaged or not a database", ""],
  [/^(?:SQLITE_FULL|ENOSPC|EDQUOT)$/, "UNAVAILABLE", "no room to write", SPACE],
  [/^SQLITE_(?:BUSY|LOCKED)/, "TIMEOUT", "another process does not let go of it", "see who has it open: fuser -v FILE"],
  [/^SQLITE_(?:READONLY|CANTOPEN|PERM|AUTH)/, "config", "cannot be opened for writing", WRITABLE],
  [/^(?:EACCES|EPERM|EROFS)$/, "config", "cannot be written", WRITABLE],
  [/^(?:ENOENT|ENOTDIR|EISDIR|EEXIST|ELOOP|ENAMETOOLONG)$/, "config", "is not a folder, or its path is none", WRITABLE],
  [/^(?:SQLITE_IOERR|EIO$)/, "UNAVAILABLE", "the disk failed", "look at the kernel's log and the volume"],
];

function codeOf(cause: unknown): string | undefined {
  if (cause instanceof Database.SqliteError) return cause.code;
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}
