import { bootId, type Store } from '@teu/state';

/** What was told of a group's limits: what its counters stood at. */
export interface ToldCounts {
  pidsMax: number;
  memoryMax: number;
  memoryHigh: number;
  /** Kills of those counted that were reported, or that nothing more will be known of. */
  oomKill: number;
  /** Kills that are known and of which the event waits for the end of a window. */
  oomWaiting: number;
}

/** Of a group of which nothing was told. */
export const nothingTold = (): ToldCounts => ({
  pidsMax: 0,
  memoryMax: 0,
  memoryHigh: 0,
  oomKill: 0,
  oomWaiting: 0,
});

/** What was told of each group, so that a later run of the service neither repeats nor misses it. */
export interface ToldTable {
  /** @param inode - Of the group's directory: one made again is another group. */
  get(id: string, inode: string): ToldCounts | undefined;
  set(id: string, inode: string, counts: ToldCounts): void;
  delete(id: string): void;
  /** Groups of which anything was told. */
  ids(): string[];
  /** Whether groups may be there of which it is not known what was told, as an older version left them. */
  isUnsure(): boolean;
  setSure(): void;
}

interface ToldRow {
  pids_max: number;
  memory_max: number;
  memory_high: number;
  oom_kill: number;
  oom_waiting: number;
}

const UNSURE_ID = '';

/** Makes the table of a store. Writes belong into a transaction. */
export function createToldTable(store: Store): ToldTable {
  const remove = (id: string): void => {
    store.prepare('DELETE FROM told WHERE id = ?').run(id);
  };
  return {
    get: (id, inode) => {
      const row = store
        .prepare<ToldRow>('SELECT * FROM told WHERE id = ? AND boot_id = ? AND inode = ?')
        .get(id, bootId(), inode);
      if (row === undefined) return undefined;
      return {
        pidsMax: row.pids_max,
        memoryMax: row.memory_max,
        memoryHigh: row.memory_high,
        oomKill: row.oom_kill,
        oomWaiting: row.oom_waiting,
      };
    },
    set: (id, inode, { pidsMax, memoryMax, memoryHigh, oomKill, oomWaiting }) => {
      store
        .prepare('INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(id, bootId(), inode, pidsMax, memoryMax, memoryHigh, oomKill, oomWaiting);
    },
    delete: remove,
    ids: () =>
      store
        .prepare<{ id: string }>('SELECT id FROM told WHERE id <> ?')
        .all(UNSURE_ID)
        .map(({ id }) => id),
    isUnsure: () => store.prepare('SELECT 1 FROM told WHERE id = ?').get(UNSURE_ID) !== undefined,
    setSure: () => remove(UNSURE_ID),
  };
}
