import { Run } from '@teu/proto/cgroup';
import { openStore, type Store } from '@teu/state';
import { tempDir } from '@teu/testing';
import { join } from 'node:path';
import { figuresOf, NO_FIGURES, type Figures } from '../ledger/figures.js';
import { CGROUP_MIGRATIONS } from '../store/schema.js';
import { insertRun, writeEnding, writeMark } from '../store/usage-table.js';

/** A store with the tables of the service and nothing in them. */
export function emptyStore(): { store: Store; remove: () => void } {
  const directory = tempDir();
  const path = join(directory.path, 'cgroup', 'state.db');
  const store = openStore({ path, migrations: CGROUP_MIGRATIONS });
  return {
    store,
    remove: () => {
      store.close();
      directory.remove();
    },
  };
}

/** A container id that begins with a number. */
export const idOf = (n: number): string => n.toString(16).padStart(8, '0').padEnd(64, '0');

/** Figures of which all are the same number. */
export const allOf = (value: number): Figures => figuresOf(() => value);

/** Figures with these values, and 0 for the others. */
export const some = (figures: Partial<Figures>): Figures => ({ ...NO_FIGURES, ...figures });

/** A run that is over, for the ledger. Times are milliseconds since 1970. */
export interface Past {
  readonly run: Parameters<typeof Run.fromPartial>[0];
  readonly start: number;
  readonly end: number;
  readonly figures: Figures;
  readonly marks?: readonly (readonly [time: number, figures: Figures])[];
}

const HOUR_MS = 3_600_000;
const lasting = (figures: Figures, ms: number): Figures => ({ ...figures, wallUs: ms * 1000 });

/** Writes a run that is over; in the caller's transaction. */
export function addPast(store: Store, { run, start, end, figures, marks = [] }: Past): number {
  const told = Run.fromPartial({ ...run, startTime: new Date(start) });
  const runId = insertRun(store, told, start);
  for (const [time, at] of marks) {
    const state = {
      figures: lasting(at, time - start),
      figuresTime: new Date(time),
      sample: undefined,
      populated: true,
    };
    writeMark(store, runId, Math.floor(time / HOUR_MS), state);
  }
  const endTime = new Date(end);
  return writeEnding(store, runId, {
    run: { ...told, end: { exitTime: endTime, exitCode: 0, signal: 0, error: '' } },
    endTime,
    state: {
      figures: lasting(figures, end - start),
      figuresTime: endTime,
      sample: undefined,
      populated: false,
    },
    incomplete: false,
    oomKills: [],
  });
}
