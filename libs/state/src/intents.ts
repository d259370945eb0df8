import { clock } from '@teu/ids';
import { randomUUID } from 'node:crypto';
import { bootId } from './boot-id.js';
import type { Store } from './store.js';

/** A step that was begun and is not known to have ended. */
export interface Intent {
  id: string;
  /** What is being done, for example "prepare". */
  operation: string;
  /** The object it is done to. All names on the host must be derivable from it or the payload. */
  objectKey: string;
  /** What recovery needs to know; any JSON value. */
  payload: unknown;
  /** Boot in which it was begun; if it is not this one, all its mounts and processes are gone. */
  bootId: string;
  createTime: Date;
}

/** What `begin` records. */
export interface NewIntent {
  operation: string;
  objectKey: string;
  payload?: unknown;
}

/** The write-ahead list of side effects: begin before the first one, finish with the result's row. */
export interface Intents {
  /** Records it durably (or with the caller's transaction, if one is open) and gives its id. */
  begin(intent: NewIntent): string;
  /** Forgets it. Call it in the transaction that records the outcome. Unknown ids are no error. */
  finish(id: string): void;
  /** All that are open, oldest first; with a key only those of one object. */
  list(objectKey?: string): Intent[];
}

/** Makes the intents of a store. */
export function createIntents(store: Pick<Store, 'prepare' | 'transaction'>): Intents {
  const begin = (intent: NewIntent): string => {
    const id = randomUUID();
    const payload = JSON.stringify(intent.payload ?? null);
    const createTime = clock.now().getTime();
    store.transaction(() =>
      store
        .prepare(
          `INSERT INTO intents (id, operation, object_key, payload, boot_id, create_time)
           VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(id, intent.operation, intent.objectKey, payload, bootId(), createTime),
    );
    return id;
  };
  const finish = (id: string): void => {
    store.transaction(() => store.prepare('DELETE FROM intents WHERE id = ?').run(id));
  };
  const list = (objectKey?: string): Intent[] =>
    store
      .prepare<IntentRow>(
        `SELECT * FROM intents WHERE object_key = coalesce(?, object_key)
         ORDER BY create_time, id`,
      )
      .all(objectKey ?? null)
      .map(fromRow);
  return { begin, finish, list };
}

interface IntentRow {
  id: string;
  operation: string;
  object_key: string;
  payload: string;
  boot_id: string;
  create_time: number;
}

function fromRow(row: IntentRow): Intent {
  return {
    id: row.id,
    operation: row.operation,
    objectKey: row.object_key,
    payload: JSON.parse(row.payload) as unknown,
    bootId: row.boot_id,
    createTime: new Date(row.create_time),
  };
}
