/**
 * Tables of the engine. The body of a container is its protobuf message: readers find by key, never by content. The
 * checksum tells a damaged row from a whole one, so that one bad row costs one container and not the engine.
 */
export const ENGINE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE containers (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL UNIQUE,
     boot_id TEXT NOT NULL,
     body BLOB NOT NULL,
     checksum INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE quarantined_containers (
     id TEXT NOT NULL,
     name TEXT NOT NULL,
     body BLOB NOT NULL,
     problem TEXT NOT NULL,
     quarantine_time INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE requests (
     request_id TEXT PRIMARY KEY,
     digest TEXT NOT NULL,
     container_id TEXT NOT NULL,
     answer BLOB,
     final BLOB,
     create_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX requests_by_container ON requests (container_id);

   CREATE TABLE execs (
     exec_id TEXT PRIMARY KEY,
     container_id TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  // Storage drivers besides those of the configuration.
  `CREATE TABLE drivers (
     name TEXT PRIMARY KEY,
     address TEXT NOT NULL,
     snapshotter TEXT NOT NULL,
     namespace TEXT NOT NULL,
     add_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE default_driver (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     name TEXT NOT NULL
   ) STRICT;`,

  // Upgrades of bases, what became of each container, and edits. The state of a container's row is beside its body,
  // because it changes with the container's own record.
  `CREATE TABLE base_upgrades (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     state INTEGER NOT NULL,
     body BLOB NOT NULL,
     checksum INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE base_upgrade_containers (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     upgrade_id TEXT NOT NULL,
     container_id TEXT NOT NULL,
     state INTEGER NOT NULL,
     body BLOB NOT NULL,
     checksum INTEGER NOT NULL,
     UNIQUE (upgrade_id, container_id)
   ) STRICT;
   CREATE INDEX base_upgrade_containers_by_container ON base_upgrade_containers (container_id);

   CREATE TABLE base_edits (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     chain_id TEXT NOT NULL,
     is_merged INTEGER NOT NULL,
     body BLOB NOT NULL,
     checksum INTEGER NOT NULL
   ) STRICT;`,
];
