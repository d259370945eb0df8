import { teuError } from '@teu/errors';
import type { WatchUsageRequest, WatchUsageResponse } from '@teu/proto/cgroup';
import type { CallContext } from '@teu/rpc';
import type { CgroupParts } from '../cgroup-parts.js';
import { finalRecords, lastSequence, oldestSequence } from '../store/usage-table.js';

/** Records that are read at once; the next are read when the client has taken these. */
const READ_BATCH = 64;

/** Streams final records by their numbers, the past first. */
export async function* watchUsage(
  { store, ledger }: CgroupParts,
  { fromSequence, untilNow }: WatchUsageRequest,
  { signal }: CallContext,
): AsyncGenerator<WatchUsageResponse> {
  const newest = lastSequence(store);
  let next = fromSequence === 0 ? newest + 1 : fromSequence;
  requireKept(next, oldestSequence(store), newest);
  const end = untilNow ? newest : Infinity;
  yield { record: undefined, nextSequence: next };
  const isGone = (): boolean => signal.aborted;
  while (next <= end && !isGone()) {
    // Those that the client was too slow for may be gone by now.
    requireKept(next, oldestSequence(store), lastSequence(store));
    const records = finalRecords(store, next, READ_BATCH);
    for (const record of records) {
      if (record.sequence > end || isGone()) return;
      yield { record, nextSequence: 0 };
      next = record.sequence + 1;
    }
    if (records.length === 0) await nextFinal(ledger, signal);
  }
}

/** A number that is not there yet comes from another ledger: waiting for it would hide that. */
function requireKept(from: number, oldest: number, newest: number): void {
  if (from >= oldest && from <= newest + 1) return;
  const range = `the oldest record kept is ${oldest}, the newest ${newest}`;
  throw teuError('EVENTS_EXPIRED', `there is no record ${from}: ${range}`, {
    metadata: { oldest: String(oldest), newest: String(newest) },
  });
}

function nextFinal(ledger: CgroupParts['ledger'], signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const stop = ledger.onFinal(done);
    signal.addEventListener('abort', done);
  });
}
