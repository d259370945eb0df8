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
  // `sealed` is the digest of the manifest, `damage` why nothing may stand on the snapshot. `discards`
  // has the ids of committed snapshots whose removal was decided and may not be on the disk yet.
  `ALTER TABLE snapshots ADD COLUMN sealed TEXT;
   ALTER TABLE snapshots ADD COLUMN damage TEXT;
   CREATE INDEX snapshots_unsealed ON snapshots (id) WHERE kind = 3 AND sealed IS NULL;
   CREATE INDEX snapshots_damaged ON snapshots (id) WHERE damage IS NOT NULL;
   CREATE TABLE discards (id INTEGER PRIMARY KEY) STRICT;`,
  // `merges` has the active snapshots that are being put into their parents. `branches` has what is a
  // branch of a snapshot beside its parents, in the order of the list; `parents_above` is NULL for the
  // lowest ones.
  `CREATE TABLE merges (id INTEGER PRIMARY KEY REFERENCES snapshots (id)) STRICT;
   CREATE TABLE branches (
     snapshot_id   INTEGER NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
     branch_id     INTEGER NOT NULL REFERENCES snapshots (id),
     ordinal       INTEGER NOT NULL,
     parents_above INTEGER,
     has_whiteouts INTEGER NOT NULL,
     PRIMARY KEY (snapshot_id, branch_id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX branches_by_branch ON branches (branch_id);`,
  // `replaced` has the ids of storage whose snapshot has got other storage, and the snapshots that may be mounted with
  // it, 0 being none; `holder_id` refers to nothing, because a holder is gone when its row is.
  `CREATE TABLE replaced (
     id        INTEGER NOT NULL,
     holder_id INTEGER NOT NULL,
     boot_id   TEXT    NOT NULL,
     PRIMARY KEY (id, holder_id)
   ) STRICT, WITHOUT ROWID;`,
];
