/** Tables of the cgroup service; one entry per version of the schema. */
export const CGROUP_MIGRATIONS: readonly string[] = [
  // Limits are those in force, as JSON; absent ones are not limited.
  `CREATE TABLE groups (
     name TEXT PRIMARY KEY,
     limits TEXT NOT NULL,
     labels TEXT NOT NULL,
     create_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
];
