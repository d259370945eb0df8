import { clock } from '@teu/ids';
import type { Store } from '@teu/state';

/** When images were last used. */
export interface UseTable {
  /** Remembers a use; on the disk only with the next `flush`. */
  mark(imageId: string): void;
  /** Time of the last use; undefined if there was none. */
  lastUse(imageId: string): Date | undefined;
  /** Whether something was marked since the last `flush`. */
  hasMarks(): boolean;
  /** Writes down what was marked. What a crash takes of it is the time since the last one. */
  flush(): void;
}

/** Makes the table of a store. Marking costs no write: it is done on the road of starts. */
export function createUseTable(store: Store): UseTable {
  const marked = new Map<string, number>();
  return {
    mark: (imageId) => void marked.set(imageId, clock.now().getTime()),
    lastUse: (imageId) => {
      const sql = 'SELECT use_ms AS ms FROM image_uses WHERE image_id = ?';
      const ms = marked.get(imageId) ?? store.prepare<{ ms: number }>(sql).get(imageId)?.ms;
      return ms === undefined ? undefined : new Date(ms);
    },
    hasMarks: () => marked.size > 0,
    flush: () => {
      if (marked.size === 0) return;
      const statement = store.prepare(
        `INSERT OR REPLACE INTO image_uses (image_id, use_ms)
         SELECT id, ? FROM images WHERE id = ?`,
      );
      store.transaction(() => marked.forEach((ms, imageId) => statement.run(ms, imageId)), {
        durable: false,
      });
      marked.clear();
    },
  };
}
