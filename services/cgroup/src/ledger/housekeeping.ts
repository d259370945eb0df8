import { setImmediate } from 'node:timers/promises';
import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import { lastSequence, readBeat } from '../store/usage-table.js';
import type { LedgerClock } from './boot-clock.js';
import type { UsageLedger } from './usage-ledger.js';

/** How much is kept. */
export interface Retention {
  /** Age of a final record, in milliseconds. */
  readonly keepMs: number;
  /** Number of final records. */
  readonly records: number;
}

/** What is kept in order. */
export interface HousekeepingParts {
  readonly store: Store;
  readonly ledger: UsageLedger;
  readonly log: Logger;
  readonly clock: LedgerClock;
}

const HOUR_MS = 3_600_000;
const HOURS_A_DAY = 24;
/** For so long there is a mark for every hour, before that one a day. */
const HOURLY_MARKS_MS = 32 * HOURS_A_DAY * HOUR_MS;
/** Records that go in one transaction: more would keep other calls waiting. */
const MOST_AT_ONCE = 2_000;
/** A run of an earlier boot of which no engine has told the end by then is of an engine that is not there any more. */
const FORGOTTEN_MS = 24 * HOUR_MS;

/**
 * Starts checkpoints and the removal of what is too old. Gives the way to stop it. Nothing is removed in the first hour:
 * by then a clock that was wrong at the start of the machine is right.
 */
export function startHousekeeping(
  { store, ledger, log, clock }: HousekeepingParts,
  checkpointMs: number,
  retention: Retention,
): () => void {
  const checkpoints = setInterval(() => {
    void ledger.refresh({ durable: true, all: false });
  }, checkpointMs);
  const startMs = clock.bootMs();
  const newestMs = newestTime(store) || clock.wallMs();
  let isStopped = false;
  const tidy = async (): Promise<void> => {
    try {
      const upMs = clock.bootMs() - startMs;
      // No record can be older than that, whatever a clock says that was set far ahead.
      const now = Math.min(clock.wallMs(), newestMs + upMs);
      while (prune(store, retention, now) === MOST_AT_ONCE) {
        await setImmediate();
        if (isStopped) return;
      }
      thinMarks(store, now);
      if (upMs >= FORGOTTEN_MS) ledger.endForgotten();
    } catch (error) {
      log.error({ err: error }, 'the usage ledger cannot be tidied up; trying again in an hour');
    }
  };
  const tidying = setInterval(() => void tidy(), HOUR_MS);
  return () => {
    isStopped = true;
    clearInterval(checkpoints);
    clearInterval(tidying);
  };
}

/** The last moment of which the ledger knows, in milliseconds since 1970; 0 if it knows of none. */
function newestTime(store: Store): number {
  const newest = store
    .prepare<{ time: number | null }>(
      'SELECT final_time AS time FROM usage_runs ORDER BY sequence DESC LIMIT 1',
    )
    .get();
  return Math.max(newest?.time ?? 0, readBeat(store).time.getTime());
}

/**
 * Removes final records that are too old or too many, the oldest first, so that the numbers of those that stay have
 * no gap. Gives how many; there may be more.
 *
 * @param now milliseconds since 1970
 */
export function prune(store: Store, { keepMs, records }: Retention, now: number): number {
  const last = lastSequence(store);
  const oldest = now - keepMs;
  const young = store
    .prepare<{ sequence: number | null }>(
      `SELECT sequence FROM usage_runs WHERE sequence IS NOT NULL AND final_time >= ?
       ORDER BY sequence LIMIT 1`,
    )
    .get(oldest);
  const firstKept = Math.max(young?.sequence ?? last + 1, last - records + 1);
  return store.transaction(
    () =>
      Number(
        store
          .prepare(
            `DELETE FROM usage_runs WHERE sequence IN
               (SELECT sequence FROM usage_runs WHERE sequence < ? ORDER BY sequence LIMIT ?)`,
          )
          .run(firstKept, MOST_AT_ONCE).changes,
      ),
    { durable: false },
  );
}

/** Leaves one mark a day of what is long ago. */
function thinMarks(store: Store, now: number): void {
  const hour = Math.floor((now - HOURLY_MARKS_MS) / HOUR_MS);
  store.transaction(
    () =>
      store
        .prepare('DELETE FROM usage_marks WHERE hour < ? AND hour % ? <> 0')
        .run(hour, HOURS_A_DAY),
    { durable: false },
  );
}
