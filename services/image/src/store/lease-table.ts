import type { Store } from '@teu/state';
import type { BootClock } from '../domain/boot-clock.js';

/** Something that is kept for a while. */
export interface LeaseRecord {
  id: string;
  holder: string;
  /** Ids of images, digests of blobs; sorted. */
  digests: string[];
  createTime: Date;
  /** As the wall clock would have it now. */
  expireTime: Date;
}

/** Leases that have not ended. Methods that write belong into a transaction of the caller. */
export interface LeaseTable {
  insert(lease: { id: string; holder: string; digests: readonly string[]; ttlMs: number }): void;
  /** Lets it end so long from now. @returns false if there is none, or it has ended */
  extend(id: string, ttlMs: number): boolean;
  /** @returns false if there is none, or it has ended */
  release(id: string): boolean;
  find(id: string): LeaseRecord | undefined;
  /** By id. */
  page(afterId: string, limit: number): LeaseRecord[];
  count(): number;
  /** Who holds an image or blob, for people; undefined if nobody does. */
  holderOf(digest: string): string | undefined;
  /** Forgets those that have ended. @returns how many */
  dropEnded(): number;
  /** Milliseconds until the next one ends; undefined if there is none. */
  untilNextEnd(): number | undefined;
}

interface LeaseRow {
  id: string;
  holder: string;
  create_ms: number;
  ends_boot_ms: number;
}

/**
 * Leases end by the time since the boot: setting the clock of the wall neither ends nor prolongs them. That time begins
 * anew with a boot, so then what the wall's clock says is left of each counts, and at most what it was given.
 */
export function createLeaseTable(store: Store, clocks: BootClock): LeaseTable {
  adoptAfterBoot(store, clocks);
  const toRecord = (row: LeaseRow): LeaseRecord => ({
    id: row.id,
    holder: row.holder,
    digests: store
      .prepare<{ digest: string }>('SELECT digest FROM lease_digests WHERE lease_id = ?')
      .all(row.id)
      .map(({ digest }) => digest),
    createTime: new Date(row.create_ms),
    expireTime: new Date(clocks.wallMs() + row.ends_boot_ms - clocks.bootMs()),
  });
  return {
    insert: ({ id, holder, digests, ttlMs }) => {
      const [now, wall] = [clocks.bootMs(), clocks.wallMs()];
      store
        .prepare('INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?, ?)')
        .run(id, holder, wall, ttlMs, clocks.bootId, now + ttlMs, wall + ttlMs);
      const statement = store.prepare('INSERT OR IGNORE INTO lease_digests VALUES (?, ?)');
      for (const digest of digests) statement.run(id, digest);
    },
    extend: (id, ttlMs) => {
      const [now, wall] = [clocks.bootMs(), clocks.wallMs()];
      const sql =
        'UPDATE leases SET ttl_ms = ?, ends_boot_ms = ?, ends_ms = ? WHERE id = ? AND ends_boot_ms > ?';
      return store.prepare(sql).run(ttlMs, now + ttlMs, wall + ttlMs, id, now).changes > 0;
    },
    release: (id) => {
      const sql = 'DELETE FROM leases WHERE id = ? AND ends_boot_ms > ?';
      return store.prepare(sql).run(id, clocks.bootMs()).changes > 0;
    },
    find: (id) => {
      const sql = 'SELECT * FROM leases WHERE id = ? AND ends_boot_ms > ?';
      const row = store.prepare<LeaseRow>(sql).get(id, clocks.bootMs());
      return row && toRecord(row);
    },
    page: (afterId, limit) =>
      store
        .prepare<LeaseRow>(
          'SELECT * FROM leases WHERE id > ? AND ends_boot_ms > ? ORDER BY id LIMIT ?',
        )
        .all(afterId, clocks.bootMs(), limit)
        .map(toRecord),
    count: () => store.prepare<{ n: number }>('SELECT count(*) AS n FROM leases').get()?.n ?? 0,
    holderOf: (digest) =>
      store
        .prepare<{ holder: string }>(
          `SELECT leases.holder FROM lease_digests JOIN leases ON leases.id = lease_id
           WHERE digest = ? AND ends_boot_ms > ? ORDER BY ends_boot_ms DESC LIMIT 1`,
        )
        .get(digest, clocks.bootMs())?.holder,
    dropEnded: () =>
      Number(
        store.prepare('DELETE FROM leases WHERE ends_boot_ms <= ?').run(clocks.bootMs()).changes,
      ),
    untilNextEnd: () => {
      const sql = 'SELECT min(ends_boot_ms) AS ends FROM leases';
      const ends = store.prepare<{ ends: number | null }>(sql).get()?.ends ?? undefined;
      return ends === undefined ? undefined : Math.max(0, ends - clocks.bootMs());
    },
  };
}

/** Gives leases of an earlier boot what was left of them. */
function adoptAfterBoot(store: Store, clocks: BootClock): void {
  store.transaction(() => {
    store
      .prepare(
        `UPDATE leases SET boot_id = ?, ends_boot_ms = ? + max(0, min(ttl_ms, ends_ms - ?))
         WHERE boot_id <> ?`,
      )
      .run(clocks.bootId, clocks.bootMs(), clocks.wallMs(), clocks.bootId);
  });
}
