import { BaseEdit } from '@teu/proto/engine';
import type { Store } from '@teu/state';
import { pageOf, type Page, type PageRequest } from './base-upgrade-table.js';
import { checkedBody, readChecked, type CheckedBody } from './checked-body.js';

/** Edits of bases. Writes belong into a transaction of the caller's. */
export interface BaseEditTable {
  /** Adds one that the client has consented to and that is not merged yet. */
  insert(edit: BaseEdit): void;
  /** Takes in that it is merged. */
  setMerged(edit: BaseEdit): void;
  delete(id: string): void;
  /** One that was consented to and is not known to be merged. */
  findUnmerged(id: string): BaseEdit | undefined;
  /** Those that are merged, newest first. @param chainIds only of these layers; undefined for all */
  page(request: PageRequest, chainIds: readonly string[] | undefined): Page<BaseEdit>;
}

type Row = CheckedBody & { position: number };

const BEYOND_ALL = Number.MAX_SAFE_INTEGER;

/** Makes the table of a store. */
export function createBaseEditTable(store: Store): BaseEditTable {
  const read = (row: Row): BaseEdit | undefined => readChecked(BaseEdit, row);
  return {
    insert: (edit) => {
      const { body, checksum } = checkedBody(BaseEdit, edit);
      store
        .prepare(
          `INSERT INTO base_edits (id, chain_id, is_merged, body, checksum) VALUES (?, ?, 0, ?, ?)`,
        )
        .run(edit.id, edit.chainId, body, checksum);
    },
    setMerged: (edit) => {
      const { body, checksum } = checkedBody(BaseEdit, edit);
      store
        .prepare('UPDATE base_edits SET is_merged = 1, body = ?, checksum = ? WHERE id = ?')
        .run(body, checksum, edit.id);
    },
    delete: (id) => {
      store.prepare('DELETE FROM base_edits WHERE id = ?').run(id);
    },
    findUnmerged: (id) => {
      const row = store
        .prepare<Row>('SELECT * FROM base_edits WHERE id = ? AND is_merged = 0')
        .get(id);
      return row && read(row);
    },
    page: ({ size, from = BEYOND_ALL }, chainIds) => {
      const rows = store
        .prepare<Row>(
          `SELECT * FROM base_edits
           WHERE is_merged = 1 AND position < ?1
             AND (?2 IS NULL OR chain_id IN (SELECT value FROM json_each(?2)))
           ORDER BY position DESC LIMIT ?3`,
        )
        .all(from, chainIds === undefined ? null : JSON.stringify(chainIds), size + 1);
      return pageOf(rows, size, read);
    },
  };
}
