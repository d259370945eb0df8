import { Kind } from '@teu/proto/snapshots';
import type { Store } from '@teu/state';
import type { DiskUsage } from './driver.js';
import type { Labels, SnapshotRecord } from './record.js';

const COLUMNS = `s.id, s.name, s.parent_id, p.name AS parent_name, s.kind, s.labels, s.created_ms,
  s.updated_ms, s.bytes, s.inodes, s.sealed, s.damage`;
const FROM = 'FROM snapshots s LEFT JOIN snapshots p ON p.id = s.parent_id';

/** What `insert` writes; the rest has a default. */
export type NewRecord = Pick<
  SnapshotRecord,
  'id' | 'name' | 'parentId' | 'kind' | 'labels' | 'createdAt'
>;

/** What `commit` writes. */
export interface CommittedRecord {
  readonly id: number;
  readonly name: string;
  readonly parentId: number | null;
  readonly kind: Kind;
  readonly labels: Labels;
  readonly at: Date;
  readonly bytes: number;
  readonly inodes: number;
}

/** The rows of a driver. All methods are synchronous; every look-up goes through an index. */
export class SnapshotRecords {
  readonly #store: Store;
  // A committed snapshot never changes its parents, and only committed ones have children.
  readonly #ancestry = new Map<number, readonly number[]>();
  // Looked at for every new snapshot, and nearly always empty.
  readonly #damaged = new Set<number>();
  // Ids with storage and without a row, because that is still being made or removed.
  readonly #inMotion = new Set<number>();
  #nextId: number;

  constructor(store: Store) {
    this.#store = store;
    const sql = "SELECT seq FROM sqlite_sequence WHERE name = 'snapshots'";
    const row = store.prepare<{ seq: number }>(sql).get();
    this.#nextId = (row?.seq ?? 0) + 1;
    const damaged = 'SELECT id FROM snapshots WHERE damage IS NOT NULL';
    for (const { id } of store.prepare<{ id: number }>(damaged).all()) this.#damaged.add(id);
  }

  /** Runs `work` in one durable transaction. */
  transaction<T>(work: () => T): T {
    return this.#store.transaction(work);
  }

  /**
   * Returns an id that no snapshot has had; `settle` it when there is a row or no storage. One that is
   * not inserted is lost at the next start.
   */
  takeId(): number {
    const id = this.#nextId++;
    this.#inMotion.add(id);
    return id;
  }

  /** Keeps `takeId` above an id found on disk: the rows may be older than the storage. */
  raiseIds(found: number): void {
    if (found >= this.#nextId) this.#nextId = found + 1;
  }

  /** Storage of this id is about to go, and its row is gone; `settle` it afterwards. */
  setInMotion(id: number): void {
    this.#inMotion.add(id);
  }

  settle(id: number): void {
    this.#inMotion.delete(id);
  }

  isInMotion(id: number): boolean {
    return this.#inMotion.has(id);
  }

  find(name: string): SnapshotRecord | undefined {
    const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.name = ?`;
    const row = this.#store.prepare<Row>(sql).get(name);
    return row === undefined ? undefined : toRecord(row);
  }

  findById(id: number): SnapshotRecord | undefined {
    const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.id = ?`;
    const row = this.#store.prepare<Row>(sql).get(id);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Returns the next committed snapshot without a manifest. */
  nextUnsealed(afterId: number): SnapshotRecord | undefined {
    const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.kind = 3 AND s.sealed IS NULL AND s.id > ?
      ORDER BY s.id LIMIT 1`;
    const row = this.#store.prepare<Row>(sql).get(afterId);
    return row === undefined ? undefined : toRecord(row);
  }

  /** Returns the snapshots whose id is greater than `afterId`, ordered by id, at most `limit`. */
  page(afterId: number, limit: number): SnapshotRecord[] {
    const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.id > ? ORDER BY s.id LIMIT ?`;
    return this.#store.prepare<Row>(sql).all(afterId, limit).map(toRecord);
  }

  hasChildren(id: number): boolean {
    const sql = 'SELECT 1 FROM snapshots WHERE parent_id = ? LIMIT 1';
    return this.#store.prepare(sql).get(id) !== undefined;
  }

  count(): number {
    return this.#number('SELECT count(*) AS n FROM snapshots');
  }

  /** Adds up the measured bytes of all committed snapshots. */
  committedBytes(): number {
    return this.#number('SELECT coalesce(sum(bytes), 0) AS n FROM snapshots');
  }

  /**
   * Returns a committed snapshot and all below it, the nearest first.
   *
   * @param id - Committed snapshot, or null for none.
   */
  chain(id: number | null): readonly number[] {
    if (id === null) return [];
    const known = this.#ancestry.get(id);
    if (known !== undefined) return known;
    const sql = 'SELECT parent_id FROM snapshots WHERE id = ?';
    const row = this.#store.prepare<{ parent_id: number | null }>(sql).get(id);
    const chain = [id, ...this.chain(row?.parent_id ?? null)];
    this.#ancestry.set(id, chain);
    return chain;
  }

  insert(record: NewRecord): void {
    const time = record.createdAt.getTime();
    this.#store
      .prepare(
        `INSERT INTO snapshots (id, name, parent_id, kind, labels, created_ms, updated_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        record.id,
        record.name,
        record.parentId,
        record.kind,
        JSON.stringify(record.labels),
        time,
        time,
      );
  }

  commit(record: CommittedRecord): void {
    const time = record.at.getTime();
    this.#store
      .prepare(
        `UPDATE snapshots SET name = ?, parent_id = ?, kind = ?, labels = ?, created_ms = ?,
           updated_ms = ?, bytes = ?, inodes = ? WHERE id = ?`,
      )
      .run(
        record.name,
        record.parentId,
        record.kind,
        JSON.stringify(record.labels),
        time,
        time,
        record.bytes,
        record.inodes,
        record.id,
      );
  }

  setLabels(id: number, labels: Labels, at: Date): void {
    this.#store
      .prepare('UPDATE snapshots SET labels = ?, updated_ms = ? WHERE id = ?')
      .run(JSON.stringify(labels), at.getTime(), id);
  }

  /** Puts an active snapshot on another parent. */
  setParent(id: number, parentId: number | null, at: Date): void {
    this.#store
      .prepare('UPDATE snapshots SET parent_id = ?, updated_ms = ? WHERE id = ?')
      .run(parentId, at.getTime(), id);
  }

  /** A committed snapshot was changed in place: it has another size, and no manifest. */
  setChanged(id: number, { bytes, inodes }: DiskUsage): void {
    const sql = 'UPDATE snapshots SET bytes = ?, inodes = ?, sealed = NULL WHERE id = ?';
    this.#store.prepare(sql).run(bytes, inodes, id);
  }

  /**
   * Gives an active snapshot the name and labels of a committed one and all that stands on that; the committed one is
   * gone then. What is in the place of a damaged one is sound.
   */
  replace(
    committed: SnapshotRecord,
    by: { readonly id: number; readonly at: Date } & DiskUsage,
  ): void {
    const { id, name, labels, parentId } = committed;
    const sql = 'UPDATE snapshots SET parent_id = ? WHERE parent_id = ?';
    this.#store.prepare(sql).run(by.id, id);
    this.delete(id);
    this.commit({ ...by, name, parentId, labels, kind: Kind.COMMITTED });
    this.#store.afterCommit(() => this.#ancestry.clear());
  }

  /**
   * Records the manifest of a committed snapshot. Not durable at once: if that is lost, the manifest is
   * found at the next start. @returns false if the snapshot is gone
   */
  seal(id: number, digest: string): boolean {
    const sql = 'UPDATE snapshots SET sealed = ? WHERE id = ?';
    const options = { durable: false };
    const work = (): unknown => this.#store.prepare(sql).run(digest, id).changes;
    return Number(this.#store.transaction(work, options)) > 0;
  }

  /** Says durably why nothing may stand on a snapshot any more; null that it is sound. */
  setDamage(id: number, damage: string | null): void {
    this.#store.transaction(() => {
      this.#store.prepare('UPDATE snapshots SET damage = ? WHERE id = ?').run(damage, id);
    });
    if (damage === null) this.#damaged.delete(id);
    else this.#damaged.add(id);
  }

  /** Returns the first of a committed snapshot and all below it that is damaged. */
  damagedIn(chain: readonly number[]): number | undefined {
    return this.#damaged.size === 0 ? undefined : chain.find((id) => this.#damaged.has(id));
  }

  delete(id: number): void {
    this.#store.prepare('DELETE FROM snapshots WHERE id = ?').run(id);
    this.#store.afterCommit(() => {
      this.#ancestry.delete(id);
      this.#damaged.delete(id);
    });
  }

  /** Remembers, in the transaction that deletes the row, that the storage is to go. */
  addDiscard(id: number): void {
    this.#store.prepare('INSERT OR IGNORE INTO discards (id) VALUES (?)').run(id);
  }

  discards(): number[] {
    const sql = 'SELECT id FROM discards ORDER BY id';
    return this.#store
      .prepare<{ id: number }>(sql)
      .all()
      .map(({ id }) => id);
  }

  /** Forgets discards whose storage is gone from the disk. Not durable at once: none is missed. */
  dropDiscards(ids: readonly number[]): void {
    this.#store.transaction(
      () => {
        for (const id of ids) this.#store.prepare('DELETE FROM discards WHERE id = ?').run(id);
      },
      { durable: false },
    );
  }

  #number(sql: string): number {
    return this.#store.prepare<{ n: number }>(sql).get()?.n ?? 0;
  }
}

interface Row {
  id: number;
  name: string;
  parent_id: number | null;
  parent_name: string | null;
  kind: Kind;
  labels: string;
  created_ms: number;
  updated_ms: number;
  bytes: number | null;
  inodes: number | null;
  sealed: string | null;
  damage: string | null;
}

function toRecord(r: Row): SnapshotRecord {
  return {
    id: r.id,
    name: r.name,
    parentId: r.parent_id,
    parentName: r.parent_name ?? '',
    kind: r.kind,
    labels: JSON.parse(r.labels) as Labels,
    createdAt: new Date(r.created_ms),
    updatedAt: new Date(r.updated_ms),
    bytes: r.bytes,
    inodes: r.inodes,
    sealed: r.sealed,
    damage: r.damage,
  };
}
