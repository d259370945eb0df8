import { bootId, type Store } from '@teu/state';

/** How the run before this one ended. */
export type LastEnd =
  /** It said that it ends, or there was none. */
  | 'clean'
  /** The service was killed, or died. */
  | 'killed'
  /** The machine went down under it. */
  | 'machine';

/**
 * Says that this run has begun, until `markCleanEnd` says that it has ended well.
 * @returns how the one before ended
 */
export function markRun(store: Store): LastEnd {
  return store.transaction(() => {
    const sql = 'SELECT boot_id AS boot, ended_clean AS clean FROM runs';
    const last = store.prepare<{ boot: string; clean: number }>(sql).get();
    mark(store, false);
    if (last === undefined || last.clean !== 0) return 'clean';
    return last.boot === bootId() ? 'killed' : 'machine';
  });
}

/** The last thing that a run does with its store. */
export function markCleanEnd(store: Store): void {
  store.transaction(() => mark(store, true));
}

function mark(store: Store, isClean: boolean): void {
  store
    .prepare('INSERT OR REPLACE INTO runs (only_row, boot_id, ended_clean) VALUES (1, ?, ?)')
    .run(bootId(), isClean ? 1 : 0);
}
