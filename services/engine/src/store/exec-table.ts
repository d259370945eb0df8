import type { Store } from '@teu/state';

/** Programs that were started in containers and are not known to have ended. */
export interface ExecTable {
  /** Writes belong into a transaction of the caller's. */
  insert(execId: string, containerId: string): void;
  /** False if it was not there: its end is recorded already. */
  delete(execId: string): boolean;
  list(): { execId: string; containerId: string }[];
}

/** Makes the table of a store. */
export function createExecTable(store: Store): ExecTable {
  return {
    insert: (execId, containerId) => {
      store
        .prepare('INSERT INTO execs (exec_id, container_id) VALUES (?, ?)')
        .run(execId, containerId);
    },
    delete: (execId) =>
      Number(store.prepare('DELETE FROM execs WHERE exec_id = ?').run(execId).changes) > 0,
    list: () =>
      store
        .prepare<{
          execId: string;
          containerId: string;
        }>('SELECT exec_id AS execId, container_id AS containerId FROM execs')
        .all(),
  };
}
