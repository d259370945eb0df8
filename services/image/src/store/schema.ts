/** Tables of the image service; one entry per version of the schema. */
export const IMAGE_MIGRATIONS: readonly string[] = [
  `CREATE TABLE blobs (
     digest TEXT PRIMARY KEY,
     size INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE images (
     id TEXT PRIMARY KEY REFERENCES blobs (digest),
     manifest_digest TEXT NOT NULL REFERENCES blobs (digest),
     create_time INTEGER,
     load_time INTEGER NOT NULL,
     os TEXT NOT NULL,
     architecture TEXT NOT NULL,
     config TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX images_by_load_time ON images (load_time DESC, id);

   CREATE TABLE layers (
     image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
     position INTEGER NOT NULL,
     diff_id TEXT NOT NULL,
     chain_id TEXT NOT NULL,
     digest TEXT NOT NULL REFERENCES blobs (digest),
     media_type TEXT NOT NULL,
     blob_bytes INTEGER NOT NULL,
     size_bytes INTEGER NOT NULL,
     PRIMARY KEY (image_id, position)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX layers_by_chain ON layers (chain_id);
   CREATE INDEX layers_by_digest ON layers (digest);
   CREATE INDEX layers_by_diff ON layers (diff_id);

   CREATE TABLE names (
     name TEXT PRIMARY KEY,
     image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX names_by_image ON names (image_id);

   -- Layers that this service has committed in a driver; size_bytes as unpacked.
   CREATE TABLE snapshots (
     driver TEXT NOT NULL,
     chain_id TEXT NOT NULL,
     parent TEXT NOT NULL,
     size_bytes INTEGER NOT NULL,
     PRIMARY KEY (driver, chain_id)
   ) STRICT, WITHOUT ROWID;`,

  // The drivers that were last told, which may be none.
  `CREATE TABLE drivers (
     name TEXT PRIMARY KEY,
     address TEXT NOT NULL,
     snapshotter TEXT NOT NULL,
     namespace TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE told_drivers (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     default_driver TEXT NOT NULL
   ) STRICT;`,

  // `ingests` has what was begun to be downloaded, `image_origins` where images are known to be: their blobs can be had
  // there. `digest` is what the name means there, an index or the manifest.
  `CREATE TABLE ingests (
     digest TEXT PRIMARY KEY,
     size INTEGER NOT NULL,
     use_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE image_origins (
     image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
     registry TEXT NOT NULL,
     repository TEXT NOT NULL,
     digest TEXT NOT NULL,
     host TEXT NOT NULL,
     use_ms INTEGER NOT NULL,
     PRIMARY KEY (image_id, registry, repository, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX image_origins_by_digest ON image_origins (registry, repository, digest);`,

  // `leases` end by the clock of a boot (`boot_id`, `ends_boot_ms`), after another boot by that of the wall (`ends_ms`).
  // `quarantine` has blobs that are not what their digest says, `damaged_layers` what a driver holds that is to be made
  // anew. `runs` tells whether the last end was a clean one.
  `CREATE TABLE leases (
     id TEXT PRIMARY KEY,
     holder TEXT NOT NULL,
     create_ms INTEGER NOT NULL,
     ttl_ms INTEGER NOT NULL,
     boot_id TEXT NOT NULL,
     ends_boot_ms INTEGER NOT NULL,
     ends_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE lease_digests (
     lease_id TEXT NOT NULL REFERENCES leases (id) ON DELETE CASCADE,
     digest TEXT NOT NULL,
     PRIMARY KEY (lease_id, digest)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX lease_digests_by_digest ON lease_digests (digest);

   CREATE TABLE image_uses (
     image_id TEXT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
     use_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE quarantine (
     digest TEXT PRIMARY KEY REFERENCES blobs (digest) ON DELETE CASCADE,
     why TEXT NOT NULL,
     found_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE damaged_layers (
     driver TEXT NOT NULL,
     chain_id TEXT NOT NULL,
     why TEXT NOT NULL,
     PRIMARY KEY (driver, chain_id)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE runs (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     boot_id TEXT NOT NULL,
     ended_clean INTEGER NOT NULL
   ) STRICT;`,
];
