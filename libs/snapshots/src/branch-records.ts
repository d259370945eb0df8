import type { Store } from '@teu/state';
import type { AddedBranch } from './driver.js';

/**
 * The rows about branches that are no parents. Written inside a transaction of the caller; what is
 * read on the start path is nearly always nothing, and costs nothing then.
 */
export class BranchRecords {
  readonly #store: Store;
  readonly #having = new Set<number>();

  constructor(store: Store) {
    this.#store = store;
    const sql = 'SELECT DISTINCT snapshot_id AS id FROM branches';
    for (const { id } of store.prepare<{ id: number }>(sql).all()) this.#having.add(id);
  }

  /** Returns the branches of a snapshot in their order; none for one that has none. */
  of(id: number): readonly AddedBranch[] {
    if (!this.#having.has(id)) return [];
    const sql = `SELECT branch_id, parents_above, has_whiteouts FROM branches
      WHERE snapshot_id = ? ORDER BY ordinal`;
    const rows = this.#store.prepare<Row>(sql).all(id);
    return rows.map((row) => ({
      id: row.branch_id,
      parentsAbove: row.parents_above,
      hasWhiteouts: row.has_whiteouts !== 0,
    }));
  }

  /** Whether a committed snapshot is a branch of any other. */
  isBranch(id: number): boolean {
    if (this.#having.size === 0) return false;
    const sql = 'SELECT 1 FROM branches WHERE branch_id = ? LIMIT 1';
    return this.#store.prepare(sql).get(id) !== undefined;
  }

  /** Replaces the branches of a snapshot by these, in this order. */
  set(id: number, branches: readonly AddedBranch[]): void {
    this.#store.prepare('DELETE FROM branches WHERE snapshot_id = ?').run(id);
    const sql = `INSERT INTO branches (snapshot_id, branch_id, ordinal, parents_above, has_whiteouts)
      VALUES (?, ?, ?, ?, ?)`;
    for (const [ordinal, branch] of branches.entries()) {
      const flag = branch.hasWhiteouts ? 1 : 0;
      this.#store.prepare(sql).run(id, branch.id, ordinal, branch.parentsAbove, flag);
    }
    // What a transaction takes back leaves an id here that is looked up for nothing.
    if (branches.length > 0) this.#having.add(id);
    else this.#store.afterCommit(() => this.#having.delete(id));
  }

  /** Puts another committed snapshot in the place of one that is a branch. */
  replace(id: number, by: number): void {
    if (this.#having.size === 0) return;
    const sql = 'UPDATE branches SET branch_id = ? WHERE branch_id = ?';
    this.#store.prepare(sql).run(by, id);
  }

  /** Forgets a snapshot that is deleted in the same transaction. */
  delete(id: number): void {
    if (this.#having.has(id)) this.set(id, []);
  }
}

interface Row {
  branch_id: number;
  parents_above: number | null;
  has_whiteouts: number;
}
