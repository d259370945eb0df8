import { OomKill } from '@teu/proto/type';
import { bootId, type Store } from '@teu/state';

/** Kills of one container that are kept. */
export const KILLS_MAX = 10;

/** What the kernel has killed in containers, and how far its log was read. Writes belong into a transaction. */
export interface KillTable {
  /** All kills, oldest first. */
  list(): { containerId: string; kill: OomKill }[];
  /** Keeps one; of a container's only the newest are kept. */
  insert(containerId: string, sequence: number, kill: OomKill): void;
  delete(containerId: string): void;
  /** Number of the record of the kernel's log that was read last; undefined if it was none since this boot. */
  position(): number | undefined;
  setPosition(sequence: number): void;
}

interface KillRow {
  container_id: string;
  kill: Uint8Array;
}

/** Makes the tables of a store. */
export function createKillTable(store: Store): KillTable {
  return {
    list: () =>
      store
        .prepare<KillRow>('SELECT container_id, kill FROM oom_kills ORDER BY number')
        .all()
        .map(({ container_id: containerId, kill }) => ({
          containerId,
          kill: OomKill.decode(kill),
        })),
    insert: (containerId, sequence, kill) => {
      store
        .prepare('INSERT INTO oom_kills (container_id, sequence, kill) VALUES (?, ?, ?)')
        .run(containerId, sequence, OomKill.encode(kill).finish());
      store
        .prepare(
          `DELETE FROM oom_kills WHERE container_id = ? AND number NOT IN (
             SELECT number FROM oom_kills WHERE container_id = ? ORDER BY number DESC LIMIT ?)`,
        )
        .run(containerId, containerId, KILLS_MAX);
    },
    delete: (containerId) => {
      store.prepare('DELETE FROM oom_kills WHERE container_id = ?').run(containerId);
    },
    position: () =>
      store
        .prepare<{ sequence: number }>('SELECT sequence FROM kernel_log WHERE boot_id = ?')
        .get(bootId())?.sequence,
    setPosition: (sequence) => {
      store
        .prepare(
          `INSERT INTO kernel_log (only_row, boot_id, sequence) VALUES (1, ?, ?)
           ON CONFLICT (only_row) DO UPDATE SET boot_id = excluded.boot_id, sequence = excluded.sequence`,
        )
        .run(bootId(), sequence);
    },
  };
}
