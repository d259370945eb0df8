import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { NewOutboxEvent } from './outbox.js';
import type { Store } from './store.js';

const JOURNAL_MIGRATIONS: readonly string[] = [
  `CREATE TABLE journal (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     event_id TEXT NOT NULL UNIQUE,
     foreign_source INTEGER NOT NULL,
     payload BLOB NOT NULL,
     create_time INTEGER NOT NULL
   ) STRICT;`,
];

/** An event in the journal. */
export interface JournalEntry {
  /** Number in this journal, from 1, without gaps. */
  sequence: number;
  /** The encoded event. */
  payload: Uint8Array;
}

/** Where `follow` begins and ends. */
export interface FollowOptions {
  /** First number wanted; 0 for new ones only. */
  from: number;
  /** Ends the walk; without error. */
  signal?: AbortSignal;
  /** End after the newest event that is there when the walk begins. */
  untilNow?: boolean;
}

/** Numbered, durable log of events: those of this service and those taken in from others. */
export interface EventJournal {
  /** Adds an event of this service, also to its outbox. Needs the transaction that makes it true. */
  append(event: NewOutboxEvent): number;
  /** Takes in an event of another service; it is not published again. Undefined if it was here. */
  ingest(event: { eventId: string; payload: Uint8Array }): number | undefined;
  /**
   * Entries from a number on, at most `limit`.
   * @throws EVENTS_EXPIRED if that number is older than the oldest kept
   */
  read(from: number, limit: number): JournalEntry[];
  /** The oldest and newest numbers kept; {1, 0} if there never was an event. */
  range(): { oldest: number; newest: number };
  /** Walks the entries and then waits for new ones. No polling. Throws as `read` does. */
  follow(options: FollowOptions): AsyncGenerator<JournalEntry, void, undefined>;
}

/** How many entries are kept at least. */
const DEFAULT_RETAIN = 100_000;
/** Old entries are deleted this many at a time, so that most appends cost one insert. */
const PRUNE_STRIDE = 256;
const READ_BATCH = 256;

/** Makes the journal of a store, and its table. `retain`: entries kept at least. */
export function openEventJournal(store: Store, options: { retain?: number } = {}): EventJournal {
  store.migrate('journal', JOURNAL_MIGRATIONS);
  const retain = options.retain ?? DEFAULT_RETAIN;
  const waiters = new Set<() => void>();
  const wake = (): void => {
    for (const waiter of waiters) waiter();
  };
  const insert = (eventId: string, payload: Uint8Array, foreign: boolean): number => {
    const sequence = range(store).newest + 1;
    store
      .prepare(
        `INSERT INTO journal (sequence, event_id, foreign_source, payload, create_time)
         VALUES (?, ?, ?, ?, ?)`,
      )
      .run(sequence, eventId, foreign ? 1 : 0, payload, clock.now().getTime());
    if (sequence % PRUNE_STRIDE === 0) {
      store.prepare('DELETE FROM journal WHERE sequence <= ?').run(sequence - retain);
    }
    store.afterCommit(wake);
    return sequence;
  };
  const append = ({ eventId, subject, payload }: NewOutboxEvent): number => {
    let bytes: Uint8Array = new Uint8Array();
    const encode = (sourceSequence: number): Uint8Array => {
      bytes = typeof payload === 'function' ? payload(sourceSequence) : payload;
      return bytes;
    };
    store.outbox.append({ eventId, subject, payload: encode });
    return insert(eventId, bytes, false);
  };
  const ingest = (event: { eventId: string; payload: Uint8Array }): number | undefined =>
    store.transaction(() => {
      const known = store.prepare('SELECT 1 FROM journal WHERE event_id = ?').get(event.eventId);
      return known ? undefined : insert(event.eventId, event.payload, true);
    });
  const read = (from: number, limit: number): JournalEntry[] => readEntries(store, from, limit);
  return {
    append,
    ingest,
    read,
    range: () => range(store),
    follow: ({ from, untilNow, signal }) => {
      // Read here and not in the generator, whose body starts only with the first `next`.
      const { newest } = range(store);
      const bounds = { next: from === 0 ? newest + 1 : from, end: untilNow ? newest : Infinity };
      return follow(read, waiters, bounds, signal);
    },
  };
}

function range(store: Store): { oldest: number; newest: number } {
  const row = store
    .prepare<{ oldest: number | null; newest: number }>(
      `SELECT (SELECT min(sequence) FROM journal) AS oldest,
              coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0) AS newest`,
    )
    .get();
  const newest = row?.newest ?? 0;
  return { oldest: row?.oldest ?? newest + 1, newest };
}

function readEntries(store: Store, from: number, limit: number): JournalEntry[] {
  const { oldest } = range(store);
  if (from < oldest) {
    throw teuError('EVENTS_EXPIRED', `event ${from} is no longer kept; the oldest is ${oldest}`, {
      metadata: { oldest: String(oldest) },
    });
  }
  return store
    .prepare<JournalEntry>(
      'SELECT sequence, payload FROM journal WHERE sequence >= ? ORDER BY sequence LIMIT ?',
    )
    .all(from, limit);
}

async function* follow(
  read: EventJournal['read'],
  waiters: Set<() => void>,
  { next, end }: { next: number; end: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<JournalEntry, void, undefined> {
  while (next <= end && !signal?.aborted) {
    const entries = read(next, READ_BATCH);
    for (const entry of entries) {
      if (entry.sequence > end || signal?.aborted) return;
      yield entry;
      next = entry.sequence + 1;
    }
    if (entries.length === 0) await nextWake(waiters, signal);
  }
}

/** Waits for the next commit that adds an entry, or for the signal. */
function nextWake(waiters: Set<() => void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      waiters.delete(done);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    waiters.add(done);
    signal?.addEventListener('abort', done);
  });
}
