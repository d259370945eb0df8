import { teuError } from '@teu/errors';
import { Kind } from '@teu/proto/snapshots';
import { RepairAction, type Repair, type RepairSnapshotsResponse } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import { eachRecord } from '../each-record.js';
import type { SnapshotRecord } from '../record.js';
import { requireCommitted, type CheckRequest } from './check-snapshots.js';
import { lostOf, restoreRecords, type LostSnapshot } from './restore-records.js';
import { repairMissing, repairSnapshot } from './repair-snapshot.js';
import { removeStrays } from './remove-strays.js';
import { surveyStorage } from './survey.js';
import { Tally } from './tally.js';

/** Drivers that are being repaired: two repairs would undo each other's findings. */
const underRepair = new WeakSet<SnapshotContext>();

/**
 * Checks, and mends what can be: records that were lost are made again, attributes are set back, what
 * belongs to nothing is removed. What has other content than at commit is quarantined by name, durably,
 * until it is removed or a repair finds it whole. What runs is left alone.
 *
 * @throws SNAPSHOT_NOT_FOUND, INVALID_STATE if `key` is not committed; CONFLICT during another repair
 */
export async function* repairSnapshots(
  context: SnapshotContext,
  request: CheckRequest,
  signal: AbortSignal,
): AsyncGenerator<RepairSnapshotsResponse> {
  if (underRepair.has(context)) {
    throw teuError('CONFLICT', 'another repair of this driver is under way');
  }
  underRepair.add(context);
  try {
    const tally = new Tally();
    for await (const repair of repairAll(context, request, tally, signal)) {
      tally.countFinding(!isDone(repair.action));
      yield { part: { $case: 'repair', value: repair } };
    }
    yield { part: { $case: 'summary', value: tally.summary() } };
  } finally {
    underRepair.delete(context);
  }
}

function isDone(action: RepairAction): boolean {
  const { REPAIR_ACTION_MENDED: mended, REPAIR_ACTION_REMOVED: removed } = RepairAction;
  return action === mended || action === removed;
}

async function* repairAll(
  context: SnapshotContext,
  { key, readData }: CheckRequest,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<Repair> {
  const survey = await surveyStorage(context);
  const { lost, records } = await chooseObjects(context, key, survey.lost);
  const restored = new Set(lost.map(({ id }) => id));
  yield* restoreRecords(context, lost, tally, signal);
  const missing = new Set(survey.missing.map(({ id }) => id));
  for await (const record of records) {
    signal.throwIfAborted();
    if (restored.has(record.id)) continue;
    if (missing.has(record.id)) {
      tally.countSnapshot(true);
      yield repairMissing(context, record);
    } else if (record.kind === Kind.COMMITTED) {
      yield* repairSnapshot(context, record, readData, tally, signal);
    } else {
      tally.countSnapshot(true);
    }
  }
  if (key === '') yield* removeStrays(context, survey, signal);
}

/** One name can be that of a record, or of one that was lost. */
async function chooseObjects(
  context: SnapshotContext,
  key: string,
  lostIds: readonly number[],
): Promise<{
  lost: LostSnapshot[];
  records: AsyncIterable<SnapshotRecord> | Iterable<SnapshotRecord>;
}> {
  if (key === '') {
    return { lost: await lostOf(context, lostIds), records: eachRecord(context) };
  }
  if (context.records.find(key) === undefined) {
    const lost = await lostOf(context, lostIds);
    const named = lost.filter(({ manifest }) => manifest?.header.name === key);
    if (named.length > 0) return { lost: named, records: [] };
  }
  return { lost: [], records: [requireCommitted(context, key)] };
}
