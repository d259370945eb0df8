import { openStore } from '@teu/state';
import { tempDir } from '@teu/testing';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CGROUP_MIGRATIONS } from './schema.js';

const MINUTE = 60_000;
const UP_MS = 1_000;
/** The first version of the schema in which it is on record how long a run has lasted. */
const WITH_WALL_TIME = CGROUP_MIGRATIONS.findIndex((sql) => sql.includes('wall_us')) + 1;

test('runs of an earlier version have lasted as long as between their times', () => {
  const directory = tempDir();
  const path = join(directory.path, 'state.db');
  const before = openStore({ path, migrations: CGROUP_MIGRATIONS.slice(0, WITH_WALL_TIME - 1) });
  const columns = (table: string) =>
    before.db
      .prepare('SELECT name FROM pragma_table_info(?) WHERE "notnull" AND dflt_value IS NULL')
      .all(table)
      .map(({ name }) => String(name));
  const insert = (table: string, values: Record<string, number>) => {
    const names = columns(table);
    const row = names.map((name) => values[name] ?? 0);
    const marks = names.map(() => '?').join(', ');
    before.db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...row);
  };
  insert('usage_runs', { start_time: MINUTE, end_time: 5 * MINUTE });
  before.db.exec(`UPDATE usage_runs SET boot_id = 'this'`);
  const beat = 'UPDATE usage_state SET beat_time = ?, beat_ms = ?, beat_boot_id = ?';
  before.db.prepare(beat).run(5 * MINUTE, UP_MS + 4 * MINUTE, 'this');
  insert('usage_marks', { run_id: 1, hour: 0, time: 3 * MINUTE });
  before.close();

  const store = openStore({ path, migrations: CGROUP_MIGRATIONS });
  const wall = (table: string) => store.prepare(`SELECT wall_us AS us FROM ${table}`).get()?.['us'];
  expect([wall('usage_runs'), wall('usage_marks')]).toEqual([4 * MINUTE * 1000, 2 * MINUTE * 1000]);
  expect(store.prepare('SELECT start_ms AS ms FROM usage_runs').get()?.['ms']).toBe(UP_MS);
  store.close();
  directory.remove();
});
