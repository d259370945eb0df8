/** Tables of the cgroup service; one entry per version of the schema. */
export const CGROUP_MIGRATIONS: readonly string[] = [
  // Limits are those in force, as JSON; absent ones are not limited.
  `CREATE TABLE groups (
     name TEXT PRIMARY KEY,
     limits TEXT NOT NULL,
     labels TEXT NOT NULL,
     create_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,

  // What the kernel killed for want of memory, and how far its log was read since a boot.
  `CREATE TABLE oom_kills (
     number INTEGER PRIMARY KEY,
     container_id TEXT NOT NULL,
     sequence INTEGER NOT NULL,
     kill BLOB NOT NULL
   ) STRICT;
   CREATE INDEX oom_kills_by_container ON oom_kills (container_id);

   CREATE TABLE kernel_log (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     boot_id TEXT NOT NULL,
     sequence INTEGER NOT NULL
   ) STRICT;`,
];
