import type { DatabaseSync } from 'node:sqlite';
import { storageFailed } from './sqlite-error.js';

const VERSIONS = `CREATE TABLE IF NOT EXISTS schema_versions (
  component TEXT PRIMARY KEY,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

/**
 * Brings the tables of one component up to date: runs the migrations that were not run yet, each
 * exactly once, inside the caller's transaction. The version is the number of migrations run; a
 * migration that was released must therefore never be edited or removed.
 *
 * @param role name of the store, for the error
 * @throws STORAGE_FAILED if a newer program has written the file
 */
export function migrate(
  db: DatabaseSync,
  role: string,
  component: string,
  migrations: readonly string[],
): void {
  db.exec(VERSIONS);
  const row = db.prepare('SELECT version FROM schema_versions WHERE component = ?').get(component);
  const version = Number(row?.['version'] ?? 0);
  if (version > migrations.length) {
    throw storageFailed(
      role,
      `the state of ${role} was written by a newer version: its schema "${component}" is ${version}, this program knows ${migrations.length}; nothing was changed`,
    );
  }
  if (version === migrations.length) return;
  for (const sql of migrations.slice(version)) db.exec(sql);
  db.prepare(
    `INSERT INTO schema_versions (component, version) VALUES (?, ?)
     ON CONFLICT (component) DO UPDATE SET version = excluded.version`,
  ).run(component, migrations.length);
}
