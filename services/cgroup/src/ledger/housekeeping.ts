import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import { lastSequence } from '../store/usage-table.js';
import type { UsageLedger } from './usage-ledger.js';

/** How much is kept. */
export interface Retention {
  /** Age of a final record, in milliseconds. */
  readonly keepMs: number;
  /** Number of final records. */
  readonly records: number;
}

const HOUR_MS = 3_600_000;
const HOURS_A_DAY = 24;
/** For so long there is a mark for every hour, before that one a day. */
const HOURLY_MARKS_MS = 32 * HOURS_A_DAY * HOUR_MS;
/** Records that go in one transaction: more would keep other calls waiting. */
const MOST_AT_ONCE = 2_000;
/** A run of an earlier boot that nobody has asked about for so long is of an engine that is not there any more. */
const FORGOTTEN_MS = 24 * HOUR_MS;

/** Starts checkpoints and the removal of what is too old. Gives the way to stop it. */
export function startHousekeeping(
  { store, ledger, log }: { store: Store; ledger: UsageLedger; log: Logger },
  checkpointMs: number,
  retention: Retention,
): () => void {
  const checkpoints = setInterval(() => {
    void ledger.refresh({ durable: true, all: false });
  }, checkpointMs);
  const tidy = (): void => {
    try {
      while (prune(store, retention) === MOST_AT_ONCE);
      thinMarks(store);
      ledger.endForgotten(FORGOTTEN_MS);
    } catch (error) {
      log.error({ err: error }, 'the usage ledger cannot be tidied up; trying again in an hour');
    }
  };
  tidy();
  const tidying = setInterval(tidy, HOUR_MS);
  return () => {
    clearInterval(checkpoints);
    clearInterval(tidying);
  };
}

/**
 * Removes final records that are too old or too many, the oldest first, so that the numbers of those that stay have
 * no gap. Gives how many; there may be more.
 */
export function prune(store: Store, { keepMs, records }: Retention): number {
  const last = lastSequence(store);
  const oldest = clock.now().getTime() - keepMs;
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
function thinMarks(store: Store): void {
  const hour = Math.floor((clock.now().getTime() - HOURLY_MARKS_MS) / HOUR_MS);
  store.transaction(
    () =>
      store
        .prepare('DELETE FROM usage_marks WHERE hour < ? AND hour % ? <> 0')
        .run(hour, HOURS_A_DAY),
    { durable: false },
  );
}
