import { clock } from '@teu/ids';
import { Container } from '@teu/proto/engine';
import type { Store } from '@teu/state';

/** A request that a client may repeat. */
export interface StoredRequest {
  requestId: string;
  /** Digest of what was asked for, so that another request under the same id is noticed. */
  digest: string;
  containerId: string;
  /** First answer; undefined while there is none. */
  answer: Container | undefined;
  /** The container after its program ended; undefined until then. */
  final: Container | undefined;
}

/** Requests that were carried out, by the ids that clients gave them. */
export interface RequestTable {
  find(requestId: string): StoredRequest | undefined;
  /** Writes belong into a transaction of the caller's. */
  insert(request: { requestId: string; digest: string; containerId: string }): void;
  setAnswer(containerId: string, answer: Container): void;
  setFinal(containerId: string, final: Container): void;
  deleteOf(containerId: string): void;
  /** Forgets requests older than this. */
  expire(before: Date): void;
}

interface Row {
  digest: string;
  container_id: string;
  answer: Uint8Array | null;
  final: Uint8Array | null;
}

/** Makes the table of a store. */
export function createRequestTable(store: Store): RequestTable {
  const set = (column: 'answer' | 'final') => (containerId: string, container: Container) => {
    store
      .prepare(`UPDATE requests SET ${column} = ? WHERE container_id = ? AND ${column} IS NULL`)
      .run(Container.encode(container).finish(), containerId);
  };
  return {
    find: (requestId) => {
      const row = store
        .prepare<Row>(
          'SELECT digest, container_id, answer, final FROM requests WHERE request_id = ?',
        )
        .get(requestId);
      return row && fromRow(requestId, row);
    },
    insert: ({ requestId, digest, containerId }) => {
      store
        .prepare(
          `INSERT INTO requests (request_id, digest, container_id, create_time)
           VALUES (?, ?, ?, ?)`,
        )
        .run(requestId, digest, containerId, clock.now().getTime());
    },
    setAnswer: set('answer'),
    setFinal: set('final'),
    deleteOf: (containerId) => {
      store.prepare('DELETE FROM requests WHERE container_id = ?').run(containerId);
    },
    expire: (before) => {
      store.transaction(
        () => store.prepare('DELETE FROM requests WHERE create_time < ?').run(before.getTime()),
        { durable: false },
      );
    },
  };
}

function fromRow(requestId: string, row: Row): StoredRequest {
  const decode = (bytes: Uint8Array | null) => (bytes ? Container.decode(bytes) : undefined);
  return {
    requestId,
    digest: row.digest,
    containerId: row.container_id,
    answer: decode(row.answer),
    final: decode(row.final),
  };
}
