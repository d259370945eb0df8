import { CgroupEvent } from '@teu/proto/event';
import type { Store } from '@teu/state';

/** Events that wait for the end of a window and that no counter of the kernel tells again. Writes belong into a transaction. */
export interface WaitingTable {
  list(): { kind: string; event: CgroupEvent }[];
  /** @param kind - By which events are told together. */
  set(kind: string, event: CgroupEvent): void;
  delete(kind: string): void;
}

interface WaitingRow {
  kind: string;
  event: Uint8Array;
}

/** Makes the table of a store. */
export function createWaitingTable(store: Store): WaitingTable {
  return {
    list: () =>
      store
        .prepare<WaitingRow>('SELECT kind, event FROM waiting_events ORDER BY kind')
        .all()
        .map(({ kind, event }) => ({ kind, event: CgroupEvent.decode(event) })),
    set: (kind, event) => {
      store
        .prepare('INSERT OR REPLACE INTO waiting_events VALUES (?, ?)')
        .run(kind, CgroupEvent.encode(event).finish());
    },
    delete: (kind) => {
      store.prepare('DELETE FROM waiting_events WHERE kind = ?').run(kind);
    },
  };
}
