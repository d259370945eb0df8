/** Tables that every store has, next to those of its service. */
export const STATE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE intents (
     id TEXT PRIMARY KEY,
     operation TEXT NOT NULL,
     object_key TEXT NOT NULL,
     payload TEXT NOT NULL,
     boot_id TEXT NOT NULL,
     create_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX intents_by_object ON intents (object_key);

   CREATE TABLE outbox (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     event_id TEXT NOT NULL UNIQUE,
     subject TEXT NOT NULL,
     payload BLOB NOT NULL,
     create_time INTEGER NOT NULL,
     published INTEGER NOT NULL DEFAULT 0,
     publish_time INTEGER,
     publish_boot_id TEXT
   ) STRICT;
   CREATE INDEX outbox_pending ON outbox (sequence) WHERE published = 0;`,
];
