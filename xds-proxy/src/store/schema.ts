/** What is in the file, and how an older file becomes this one. */

/** "wpgt", so that a file of another program is not taken for ours (SQLite, "PRAGMA application_id"). */
export const APPLICATION_ID = 0x77706774;

/**
 * The step at index `i` leads from version `i` to `i + 1`; a step that was released never changes.
 *
 * `namespace` is security state: its digest is over the other columns, so that a flipped bit is not taken for a lower
 * floor. The others are a cache of what Envoy accepted. `repeat` tells resources of the same name apart, which only
 * types without known names have; `rowid` keeps the order.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE namespace (
    ns TEXT PRIMARY KEY, state TEXT NOT NULL, bundle TEXT, digest BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE node (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, seenMs INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE accepted (
    id INTEGER PRIMARY KEY, nodeId INTEGER NOT NULL REFERENCES node ON DELETE CASCADE,
    typeUrl TEXT NOT NULL, typeVersion TEXT NOT NULL, bytes INTEGER NOT NULL, UNIQUE (nodeId, typeUrl)
  ) STRICT;
  CREATE TABLE resource (
    acceptedId INTEGER NOT NULL REFERENCES accepted ON DELETE CASCADE,
    name TEXT NOT NULL, repeat INTEGER NOT NULL, version TEXT NOT NULL, isDelta INTEGER NOT NULL,
    digest BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (acceptedId, name, repeat)
  ) STRICT;
  `,
];
