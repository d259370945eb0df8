/** Columns of figures; ledger/figures.ts has what they mean. */
const FIGURES = `
  cpu_us INTEGER NOT NULL,
  cpu_user_us INTEGER NOT NULL,
  cpu_system_us INTEGER NOT NULL,
  throttled_us INTEGER NOT NULL,
  throttled_periods INTEGER NOT NULL,
  memory_byte_seconds REAL NOT NULL,
  io_read_bytes INTEGER NOT NULL,
  io_write_bytes INTEGER NOT NULL,
  io_read_count INTEGER NOT NULL,
  io_write_count INTEGER NOT NULL,
  cpu_pressure_us INTEGER NOT NULL,
  memory_pressure_us INTEGER NOT NULL,
  io_pressure_us INTEGER NOT NULL,
  oom_kills INTEGER NOT NULL,
  memory_peak INTEGER NOT NULL,
  pids_peak INTEGER NOT NULL`;

/**
 * The usage ledger. Times are milliseconds since 1970, those of the clock of the boot end in "_ms". What sums
 * do not need is kept apart (usage_details), so that adding many runs up reads little.
 */
const LEDGER = `
  CREATE TABLE usage_runs (
    run_id INTEGER PRIMARY KEY,
    container_id TEXT NOT NULL,
    start_time INTEGER NOT NULL,
    name TEXT NOT NULL,
    image TEXT NOT NULL,
    image_id TEXT NOT NULL,
    group_path TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    -- Number among the final records; NULL while it runs.
    sequence INTEGER UNIQUE,
    final_time INTEGER,
    -- Until when it is measured; what it used is shared out between start_time and this.
    end_time INTEGER NOT NULL,
    figures_time INTEGER NOT NULL,
    incomplete INTEGER NOT NULL DEFAULT 0,
    -- The last sample of its memory.
    sample_ms REAL,
    sample_bytes INTEGER,
    ${FIGURES},
    UNIQUE (container_id, start_time)
  ) STRICT;
  CREATE INDEX usage_runs_by_start ON usage_runs (start_time, run_id);
  CREATE INDEX usage_runs_by_end ON usage_runs (end_time);
  CREATE INDEX usage_runs_by_name ON usage_runs (name);
  CREATE INDEX usage_runs_by_image ON usage_runs (image);
  CREATE INDEX usage_runs_by_image_id ON usage_runs (image_id);
  CREATE INDEX usage_runs_by_group ON usage_runs (group_path);
  CREATE INDEX usage_runs_open ON usage_runs (run_id) WHERE sequence IS NULL;

  -- A UsageRecord with the run and the kills.
  CREATE TABLE usage_details (
    run_id INTEGER PRIMARY KEY REFERENCES usage_runs ON DELETE CASCADE,
    record BLOB NOT NULL
  ) STRICT;

  CREATE TABLE usage_labels (
    run_id INTEGER NOT NULL REFERENCES usage_runs ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_labels_by_key ON usage_labels (key, value);

  -- Figures at each full hour.
  CREATE TABLE usage_marks (
    run_id INTEGER NOT NULL REFERENCES usage_runs ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    time INTEGER NOT NULL,
    ${FIGURES},
    PRIMARY KEY (run_id, hour)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_marks_by_hour ON usage_marks (hour);

  -- One row. When the last checkpoint was: what has not changed since is not written again.
  CREATE TABLE usage_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_sequence INTEGER NOT NULL,
    beat_time INTEGER NOT NULL,
    beat_ms REAL NOT NULL,
    beat_boot_id TEXT NOT NULL
  ) STRICT;
  INSERT INTO usage_state VALUES (1, 0, 0, 0, '');`;

/** Tables of the cgroup service; one entry per version of the schema. */
export const CGROUP_MIGRATIONS: readonly string[] = [
  // Resources are a teu.type.v1.LinuxResources with the limits in force.
  `CREATE TABLE groups (
     name TEXT PRIMARY KEY,
     resources BLOB NOT NULL,
     labels TEXT NOT NULL,
     create_time INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  LEDGER,

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

  // What was told of each group's limits, as its counters had it; a group without a row was told of nothing. A group
  // is that of one boot with one inode of its directory. The row without an id says that groups are there of which
  // it is not known what was told.
  `CREATE TABLE told (
     id TEXT PRIMARY KEY,
     boot_id TEXT NOT NULL,
     inode TEXT NOT NULL,
     pids_max INTEGER NOT NULL,
     memory_max INTEGER NOT NULL,
     memory_high INTEGER NOT NULL,
     -- Kills of those counted that are in oom_kills, or that nothing more will be known of.
     oom_kill INTEGER NOT NULL,
     -- Of the kills known, how many wait to be told.
     oom_waiting INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   INSERT INTO told VALUES ('', '', '', 0, 0, 0, 0, 0);`,

  // Whether anything ran at the last look: then a sample of memory held until the last checkpoint.
  `ALTER TABLE usage_runs ADD COLUMN populated INTEGER NOT NULL DEFAULT 1;`,

  // Events that wait for the end of a window and that no counter tells again; and up to where the periods of each quota
  // were looked at. The row without an id says that groups are there of which that is not known.
  `CREATE TABLE waiting_events (
     kind TEXT PRIMARY KEY,
     event BLOB NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE quota_periods (
     id TEXT PRIMARY KEY,
     boot_id TEXT NOT NULL,
     inode TEXT NOT NULL,
     periods INTEGER NOT NULL,
     throttled INTEGER NOT NULL,
     waited_ns INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   INSERT INTO quota_periods VALUES ('', '', '', 0, 0, 0);`,

  // How long a run has lasted is not the difference of two times that somebody may have set a clock between. When it
  // began is told by the clock of its boot; of runs that are open now, as the last checkpoint says.
  `ALTER TABLE usage_runs ADD COLUMN start_ms REAL;
   UPDATE usage_runs SET start_ms =
     (SELECT beat_ms - (beat_time - start_time) FROM usage_state WHERE beat_boot_id = boot_id)
     WHERE sequence IS NULL;
   ALTER TABLE usage_runs ADD COLUMN wall_us INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE usage_marks ADD COLUMN wall_us INTEGER NOT NULL DEFAULT 0;
   UPDATE usage_runs SET wall_us = (end_time - start_time) * 1000;
   UPDATE usage_marks SET wall_us = 1000 * max(0, time -
     (SELECT start_time FROM usage_runs WHERE usage_runs.run_id = usage_marks.run_id));`,
];
