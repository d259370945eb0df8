import { setImmediate } from 'node:timers/promises';
import type { SnapshotContext } from './context.js';
import type { SnapshotRecord } from './record.js';

const PAGE = 500;

/** Goes through all snapshots by id, without a break: for a start, or a caller that takes its own. */
export function* allRecords(
  context: Pick<SnapshotContext, 'records'>,
): Generator<SnapshotRecord, void, undefined> {
  for (let after = 0; ;) {
    const page = context.records.page(after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.id;
  }
}

/** With some work on each, about a millisecond. */
const RECORDS_PER_TURN = 16;

/** Goes through all snapshots by id, and lets others work in between: there can be many thousands. */
export async function* eachRecord(
  context: Pick<SnapshotContext, 'records'>,
): AsyncGenerator<SnapshotRecord, void, undefined> {
  let count = 0;
  for (const record of allRecords(context)) {
    yield record;
    count += 1;
    if (count % RECORDS_PER_TURN === 0) await setImmediate();
  }
}
