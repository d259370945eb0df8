import { clock } from '@teu/ids';
import { Run, UsageRecord } from '@teu/proto/cgroup';
import type { OomKill } from '@teu/proto/type';
import { bootId, type Store } from '@teu/state';
import {
  FIGURE_COLUMNS,
  NO_FIGURES,
  SELECT_FIGURES,
  figuresOf,
  usageOf,
  valuesOf,
  type Figures,
} from '../ledger/figures.js';
import { startOf, type RunState, type StoredRun } from '../ledger/open-run.js';

/** A row of usage_runs with its details, as far as records of the API need it. */
export type RunRow = Figures & {
  runId: number;
  startTime: number;
  sequence: number | null;
  endTime: number;
  figuresTime: number;
  incomplete: number;
  record: Uint8Array;
};

/** Columns of a RunRow of usage_runs joined with usage_details. */
export const SELECT_RUN = `run_id AS runId, start_time AS startTime, sequence, end_time AS endTime,
  figures_time AS figuresTime, incomplete, record, ${SELECT_FIGURES}`;

/** How a run ended, for its row. */
export interface Ending {
  readonly run: Run;
  /** Until when it counts. */
  readonly endTime: Date;
  readonly state: RunState;
  readonly incomplete: boolean;
  readonly oomKills: readonly OomKill[];
}

/** The last checkpoint: until then runs that are written no differently were as their rows say. */
export interface Beat {
  readonly time: Date;
  /** Boot clock of that boot. */
  readonly atMs: number;
  readonly bootId: string;
}

/**
 * Writes a run that has begun. Gives its number. In the caller's transaction.
 *
 * @param startMs when it began, boot clock
 */
export function insertRun(store: Store, run: Run, startMs: number): number {
  const columns = [
    ...['container_id', 'start_time', 'name', 'image', 'image_id', 'group_path', 'boot_id'],
    ...['start_ms', 'end_time', 'figures_time', ...FIGURE_COLUMNS],
  ];
  const { containerId, name, image, imageId, group } = run;
  const start = startOf(run).getTime();
  const values = [containerId, start, name, image, imageId, group, bootId(), startMs, start, start];
  const { lastInsertRowid } = store
    .prepare(
      `INSERT INTO usage_runs (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    )
    .run(...values, ...valuesOf(NO_FIGURES));
  const runId = Number(lastInsertRowid);
  writeDetails(store, runId, run, []);
  insertLabels(store, runId, run);
  return runId;
}

/** Writes by what a run is found, where that has changed: its image is another after an upgrade of the base. */
export function writeDescription(store: Store, runId: number, run: Run): void {
  store
    .prepare(
      'UPDATE usage_runs SET name = ?, image = ?, image_id = ?, group_path = ? WHERE run_id = ?',
    )
    .run(run.name, run.image, run.imageId, run.group, runId);
  store.prepare('DELETE FROM usage_labels WHERE run_id = ?').run(runId);
  insertLabels(store, runId, run);
}

function insertLabels(store: Store, runId: number, run: Run): void {
  const label = store.prepare('INSERT INTO usage_labels (run_id, key, value) VALUES (?, ?, ?)');
  for (const [key, value] of Object.entries(run.labels)) label.run(runId, key, value);
}

/** Number and state of a run that was told of. */
export function findRun(store: Store, run: Run): { runId: number; isFinal: boolean } | undefined {
  return store
    .prepare<{ runId: number; isFinal: number }>(
      `SELECT run_id AS runId, sequence IS NOT NULL AS isFinal FROM usage_runs
       WHERE container_id = ? AND start_time = ?`,
    )
    .all(run.containerId, startOf(run).getTime())
    .map(({ runId, isFinal }) => ({ runId, isFinal: isFinal !== 0 }))[0];
}

/** Writes what is known of a run apart from its figures. */
export function writeDetails(
  store: Store,
  runId: number,
  run: Run,
  oomKills: readonly OomKill[],
): void {
  const record = UsageRecord.encode(UsageRecord.create({ run, oomKills: [...oomKills] })).finish();
  store
    .prepare(
      `INSERT INTO usage_details (run_id, record) VALUES (?, ?)
       ON CONFLICT (run_id) DO UPDATE SET record = excluded.record`,
    )
    .run(runId, record);
}

const SET_FIGURES = FIGURE_COLUMNS.map((column) => `${column} = ?`).join(', ');

/** Writes the figures of a run that has not ended. */
export function writeState(store: Store, runId: number, state: RunState): void {
  const { figures, figuresTime, sample, populated } = state;
  const time = figuresTime.getTime();
  const last = [sample?.atMs ?? null, sample?.bytes ?? null, populated ? 1 : 0];
  store
    .prepare(
      `UPDATE usage_runs
       SET end_time = max(start_time, ?), figures_time = ?, sample_ms = ?, sample_bytes = ?,
         populated = ?, ${SET_FIGURES}
       WHERE run_id = ? AND sequence IS NULL`,
    )
    .run(time, time, ...last, ...valuesOf(figures), runId);
}

/** Keeps the figures of a run at this moment; of an hour the first. */
export function writeMark(store: Store, runId: number, hour: number, state: RunState): void {
  // A clock that was set back has left marks of what is still to come.
  store.prepare('DELETE FROM usage_marks WHERE run_id = ? AND hour >= ?').run(runId, hour);
  store
    .prepare(
      `INSERT INTO usage_marks (run_id, hour, time, ${FIGURE_COLUMNS.join(', ')})
       VALUES (?, ?, ?, ${FIGURE_COLUMNS.map(() => '?').join(', ')})`,
    )
    .run(runId, hour, state.figuresTime.getTime(), ...valuesOf(state.figures));
}

/** Makes the record of a run final. Gives its number. */
export function writeEnding(store: Store, runId: number, ending: Ending): number {
  const { run, endTime, state, incomplete, oomKills } = ending;
  writeState(store, runId, state);
  writeDetails(store, runId, run, oomKills);
  const sequence = lastSequence(store) + 1;
  store.prepare('UPDATE usage_state SET last_sequence = ?').run(sequence);
  store
    .prepare(
      `UPDATE usage_runs SET sequence = ?, final_time = ?, end_time = max(start_time, ?), incomplete = ?
       WHERE run_id = ?`,
    )
    .run(sequence, clock.now().getTime(), endTime.getTime(), incomplete ? 1 : 0, runId);
  return sequence;
}

/** All runs that have not ended. */
export function loadOpenRuns(store: Store): StoredRun[] {
  type Row = RunRow & {
    bootId: string;
    startMs: number | null;
    sampleMs: number | null;
    sampleBytes: number | null;
    populated: number;
  };
  const rows = store
    .prepare<Row>(
      `SELECT ${SELECT_RUN}, boot_id AS bootId, start_ms AS startMs, sample_ms AS sampleMs,
         sample_bytes AS sampleBytes, populated
       FROM usage_runs JOIN usage_details USING (run_id) WHERE sequence IS NULL ORDER BY run_id`,
    )
    .all();
  return rows.map((row) => {
    const { runId, sampleMs, sampleBytes, memoryByteSeconds } = row;
    const sample =
      sampleMs === null || sampleBytes === null
        ? undefined
        : { atMs: sampleMs, bytes: sampleBytes, byteSeconds: memoryByteSeconds };
    const figures = figuresOf((name) => row[name]);
    const populated = row.populated !== 0;
    const state = { figures, figuresTime: new Date(row.figuresTime), sample, populated };
    const run = UsageRecord.decode(row.record).run ?? Run.create();
    return { runId, run, bootId: row.bootId, startMs: row.startMs ?? undefined, state };
  });
}

/** A record as the API has it. */
export function recordOf(row: RunRow, figures: Figures = row): UsageRecord {
  return {
    ...UsageRecord.decode(row.record),
    sequence: row.sequence ?? 0,
    usage: usageOf(figures),
    figuresTime: new Date(row.figuresTime),
    incomplete: row.incomplete !== 0,
  };
}

/** Final records from a number on. */
export function finalRecords(store: Store, from: number, limit: number): UsageRecord[] {
  return store
    .prepare<RunRow>(
      `SELECT ${SELECT_RUN} FROM usage_runs JOIN usage_details USING (run_id)
       WHERE sequence >= ? ORDER BY sequence LIMIT ?`,
    )
    .all(from, limit)
    .map((row) => recordOf(row));
}

/** Number of the newest final record that there ever was; 0 for none. */
export function lastSequence(store: Store): number {
  return store.prepare<{ n: number }>('SELECT last_sequence AS n FROM usage_state').get()?.n ?? 0;
}

/** Number of the oldest final record kept; that of the next one if none is. */
export function oldestSequence(store: Store): number {
  const row = store
    .prepare<{ n: number | null }>('SELECT min(sequence) AS n FROM usage_runs')
    .get();
  return row?.n ?? lastSequence(store) + 1;
}

export function writeBeat(store: Store, { time, atMs, bootId: boot }: Beat): void {
  store
    .prepare('UPDATE usage_state SET beat_time = ?, beat_ms = ?, beat_boot_id = ?')
    .run(time.getTime(), atMs, boot);
}

export function readBeat(store: Store): Beat {
  const row = store
    .prepare<{ time: number; atMs: number; bootId: string }>(
      'SELECT beat_time AS time, beat_ms AS atMs, beat_boot_id AS bootId FROM usage_state',
    )
    .get();
  return { time: new Date(row?.time ?? 0), atMs: row?.atMs ?? 0, bootId: row?.bootId ?? '' };
}
