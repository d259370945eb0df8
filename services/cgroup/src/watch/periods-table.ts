import { bootId, type Store } from '@teu/state';

/** Periods of a quota of processor time so far. */
export interface Periods {
  readonly count: number;
  readonly throttled: number;
  readonly waitedNs: number;
}

/** A group's periods up to its last look, and the inode of its directory: one made again is another group. */
export interface Look {
  readonly inode: string;
  readonly periods: Periods;
}

/** Up to where each group with a quota was looked at, so that a later run of the service goes on there. */
export interface PeriodsTable {
  get(id: string, inode: string): Periods | undefined;
  ids(): string[];
  set(id: string, look: Look): void;
  delete(id: string): void;
  /** Whether groups may be there of which it is not known, as an older version or one that did not look left them. */
  isUnsure(): boolean;
  setUnsure(isUnsure: boolean): void;
}

interface PeriodsRow {
  periods: number;
  throttled: number;
  waited_ns: number;
}

const UNSURE_ID = '';

/** Makes the table of a store. Writes belong into a transaction. */
export function createPeriodsTable(store: Store): PeriodsTable {
  const set = (id: string, boot: string, { inode, periods }: Look): void => {
    store
      .prepare('INSERT OR REPLACE INTO quota_periods VALUES (?, ?, ?, ?, ?, ?)')
      .run(id, boot, inode, periods.count, periods.throttled, periods.waitedNs);
  };
  const remove = (id: string): void => {
    store.prepare('DELETE FROM quota_periods WHERE id = ?').run(id);
  };
  return {
    get: (id, inode) => {
      const row = store
        .prepare<PeriodsRow>(
          'SELECT * FROM quota_periods WHERE id = ? AND boot_id = ? AND inode = ?',
        )
        .get(id, bootId(), inode);
      if (row === undefined) return undefined;
      return { count: row.periods, throttled: row.throttled, waitedNs: row.waited_ns };
    },
    ids: () =>
      store
        .prepare<{ id: string }>('SELECT id FROM quota_periods WHERE id <> ?')
        .all(UNSURE_ID)
        .map(({ id }) => id),
    set: (id, look) => set(id, bootId(), look),
    delete: remove,
    isUnsure: () =>
      store.prepare('SELECT 1 FROM quota_periods WHERE id = ?').get(UNSURE_ID) !== undefined,
    setUnsure: (isUnsure) => {
      if (isUnsure)
        set(UNSURE_ID, '', { inode: '', periods: { count: 0, throttled: 0, waitedNs: 0 } });
      else remove(UNSURE_ID);
    },
  };
}
