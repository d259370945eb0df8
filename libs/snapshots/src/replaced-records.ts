import { bootId, type Store } from '@teu/state';

/**
 * The rows about storage of committed snapshots that were replaced, each with those who may have it mounted. A boot ends
 * all mounts, so what is older than that holds nothing.
 */
export class ReplacedRecords {
  readonly #store: Store;
  // Looked at whenever a snapshot is removed, and nearly always empty.
  readonly #ids = new Set<number>();

  constructor(store: Store) {
    this.#store = store;
    const sql = 'SELECT DISTINCT id FROM replaced';
    for (const { id } of store.prepare<{ id: number }>(sql).all()) this.#ids.add(id);
  }

  /** Ids whose storage has stayed, in use or not. */
  ids(): number[] {
    return [...this.#ids];
  }

  /**
   * In a transaction: the storage of this id is nobody's any more.
   *
   * @param holders - Ids of snapshots that may be mounted with it; without one it can go at once.
   */
  add(id: number, holders: readonly number[]): void {
    const sql = 'INSERT OR IGNORE INTO replaced (id, holder_id, boot_id) VALUES (?, ?, ?)';
    // 0 is no snapshot, so that one without holders has a row as well.
    for (const holder of [0, ...holders]) this.#store.prepare(sql).run(id, holder, bootId());
    this.#store.afterCommit(() => this.#ids.add(id));
  }

  /** Whether somebody may still have it mounted. */
  isHeld(id: number): boolean {
    const sql = `SELECT 1 FROM replaced JOIN snapshots ON snapshots.id = holder_id
      WHERE replaced.id = ? AND boot_id = ? AND snapshots.kind <> 3 LIMIT 1`;
    return this.#store.prepare(sql).get(id, bootId()) !== undefined;
  }

  /** In a transaction: a snapshot is not mounted with it any more. */
  release(id: number, holder: number): void {
    this.#store.prepare('DELETE FROM replaced WHERE id = ? AND holder_id = ?').run(id, holder);
  }

  /** In a transaction. */
  forget(id: number): void {
    this.#store.prepare('DELETE FROM replaced WHERE id = ?').run(id);
    this.#store.afterCommit(() => this.#ids.delete(id));
  }
}
