import { teuError } from '@teu/errors';
import type { Store } from '@teu/state';

/** The rows about merges that were begun. As long as there is one, its snapshot is nobody else's. */
export class MergeRecords {
  readonly #store: Store;
  // Asked for whenever a snapshot is touched.
  readonly #ids = new Set<number>();

  constructor(store: Store) {
    this.#store = store;
    for (const { id } of store.prepare<{ id: number }>('SELECT id FROM merges').all()) {
      this.#ids.add(id);
    }
  }

  /** Ids of the snapshots that are being put into their parents. */
  ids(): number[] {
    return [...this.#ids];
  }

  /** @param id - Active snapshot. Inside a transaction. */
  begin(id: number): void {
    this.#store.prepare('INSERT OR IGNORE INTO merges (id) VALUES (?)').run(id);
    this.#store.afterCommit(() => this.#ids.add(id));
  }

  /** Inside a transaction. */
  end(id: number): void {
    this.#store.prepare('DELETE FROM merges WHERE id = ?').run(id);
    this.#store.afterCommit(() => this.#ids.delete(id));
  }

  /**
   * Keeps others from a snapshot.
   *
   * @throws CONFLICT if it is being merged, or that failed half-way and is to be asked for again
   */
  refuse(id: number, key: string): void {
    if (!this.#ids.has(id)) return;
    const text = `snapshot "${key}" is being merged into its parent; if that failed, ask for it again`;
    throw teuError('CONFLICT', text, { metadata: { snapshot: key } });
  }
}
