/**
 * Schema steps of a driver's `state.db`, in order; see `openStore` of @teu/state.
 *
 * AUTOINCREMENT because an id names directories: one that was removed must not come back while its
 * files are still being deleted or still mounted. `parent_id` refers to a committed snapshot, whose
 * id stays the same when its key becomes a name.
 */
export const MIGRATIONS: string[] = [
  `CREATE TABLE snapshots (
     id         INTEGER PRIMARY KEY AUTOINCREMENT,
     name       TEXT    NOT NULL UNIQUE,
     parent_id  INTEGER REFERENCES snapshots (id),
     kind       INTEGER NOT NULL,
     labels     TEXT    NOT NULL,
     created_ms INTEGER NOT NULL,
     updated_ms INTEGER NOT NULL,
     bytes      INTEGER,
     inodes     INTEGER
   ) STRICT;
   CREATE INDEX snapshots_by_parent ON snapshots (parent_id) WHERE parent_id IS NOT NULL;`,
];
