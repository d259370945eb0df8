import { clock } from '@teu/ids';
import { bootId } from './boot-id.js';
import type { Store } from './store.js';

/** A fact to announce. */
export interface NewOutboxEvent {
  /** UUID; consumers tell duplicates apart by it. */
  eventId: string;
  /** Subject to publish under; made by the builders of @teu/events. */
  subject: string;
  /** The encoded event, or how to encode it once its number within this source is known. */
  payload: Uint8Array | ((sourceSequence: number) => Uint8Array);
}

/** A fact that waits to be published. */
export interface OutboxEvent {
  /** Number within this source, from 1, growing by one. */
  sequence: number;
  eventId: string;
  subject: string;
  payload: Uint8Array;
}

/** What became of an event: the stream has it, or can never take it (too big). */
export type OutboxOutcome = 'published' | 'rejected';

/** Facts that leave this service, in the order in which they were committed. */
export interface Outbox {
  /** Adds a fact in the transaction that makes it true. Throws if none is open. */
  append(event: NewOutboxEvent): number;
  /** The oldest facts that are not published yet, in order. */
  pending(limit: number): OutboxEvent[];
  /** Number of facts that are not published yet. */
  pendingCount(): number;
  /**
   * Settles one fact. Not fsynced: if a power cut undoes it, the fact is published again, and its
   * id tells it apart.
   */
  settle(sequence: number, outcome: OutboxOutcome): void;
  /**
   * Makes facts pending again that were published shortly before the machine went down: JetStream
   * acknowledges before its own fsync, so it may have lost them. Gives their number.
   */
  reviveAfterReboot(): number;
  /** Calls back after each commit that has added a fact. Gives the way to stop that. */
  onAppend(listener: () => void): () => void;
}

const PUBLISHED = 1;
const REJECTED = 2;
/** Longer than JetStream leaves data unsynced (its sync interval is two minutes). */
const KEEP_PUBLISHED_MS = 5 * 60_000;
/** Published facts that are forgotten with each that is published: more than one, to catch up. */
const FORGET_AT_ONCE = 8;

/** Makes the outbox of a store. */
export function createOutbox(
  store: Pick<Store, 'prepare' | 'transaction' | 'afterCommit' | 'inTransaction'>,
): Outbox {
  const listeners = new Set<() => void>();
  const announce = (): void => {
    for (const listener of listeners) listener();
  };
  return {
    append: (event) => {
      const sequence = appendRow(store, event);
      store.afterCommit(announce);
      return sequence;
    },
    pending: (limit) =>
      store
        .prepare<OutboxEvent>(
          `SELECT sequence, event_id AS eventId, subject, payload FROM outbox
           WHERE published = 0 ORDER BY sequence LIMIT ?`,
        )
        .all(limit),
    pendingCount: () =>
      store.prepare<{ n: number }>('SELECT count(*) AS n FROM outbox WHERE published = 0').get()
        ?.n ?? 0,
    settle: (sequence, outcome) => settle(store, sequence, outcome),
    reviveAfterReboot: () =>
      store.transaction(() =>
        Number(
          store
            .prepare('UPDATE outbox SET published = 0 WHERE published = ? AND publish_boot_id <> ?')
            .run(PUBLISHED, bootId()).changes,
        ),
      ),
    onAppend: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function appendRow(
  store: Pick<Store, 'prepare' | 'inTransaction'>,
  { eventId, subject, payload }: NewOutboxEvent,
): number {
  if (!store.inTransaction()) throw new Error('an event needs the transaction that makes it true');
  const next = store
    .prepare<{ next: number }>(
      `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) + 1 AS next`,
    )
    .get();
  const sequence = next?.next ?? 1;
  const bytes = typeof payload === 'function' ? payload(sequence) : payload;
  store
    .prepare(
      `INSERT INTO outbox (sequence, event_id, subject, payload, create_time)
       VALUES (?, ?, ?, ?, ?)`,
    )
    .run(sequence, eventId, subject, bytes, clock.now().getTime());
  return sequence;
}

function settle(
  store: Pick<Store, 'prepare' | 'transaction'>,
  sequence: number,
  outcome: OutboxOutcome,
): void {
  const now = clock.now().getTime();
  store.transaction(
    () => {
      store
        .prepare(
          `UPDATE outbox SET published = ?, publish_time = ?, publish_boot_id = ?
           WHERE sequence = ?`,
        )
        .run(outcome === 'published' ? PUBLISHED : REJECTED, now, bootId(), sequence);
      // Facts are published in order, so those to forget are the first ones. Looking at all would
      // make each fact cost as much as there are in five minutes.
      store
        .prepare(
          `DELETE FROM outbox
           WHERE sequence IN (SELECT sequence FROM outbox ORDER BY sequence LIMIT ?)
             AND published <> 0 AND publish_time < ? AND sequence < ?`,
        )
        .run(FORGET_AT_ONCE, now - KEEP_PUBLISHED_MS, sequence);
    },
    { durable: false },
  );
}
