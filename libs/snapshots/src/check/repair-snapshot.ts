import { Kind } from '@teu/proto/snapshots';
import { RepairAction, type Finding, type Repair } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import type { SnapshotRecord } from '../record.js';
import { FILES_MISSING } from '../recover.js';
import type { TreeDifference } from './compare-tree.js';
import { damagedManifest, finding, missingStorage } from './findings.js';
import { judgeSnapshot } from './judge-snapshot.js';
import { isMended, quarantineText } from './quarantine.js';
import type { Tally } from './tally.js';

const { REPAIR_ACTION_MENDED: MENDED, REPAIR_ACTION_QUARANTINED: QUARANTINED } = RepairAction;
const { REPAIR_ACTION_FAILED: FAILED } = RepairAction;

/** Says of a snapshot without storage that it has none; there is nothing to mend it from. */
export function repairMissing(context: SnapshotContext, record: SnapshotRecord): Repair {
  const found = missingStorage(record.name);
  if (record.kind !== Kind.COMMITTED) {
    return { finding: found, action: FAILED, detail: 'its content is lost; remove it' };
  }
  if (record.damage === null) context.records.setDamage(record.id, FILES_MISSING);
  return { finding: found, action: QUARANTINED, detail: 'remove it and make it again' };
}

/**
 * Repairs a committed snapshot that has storage. Every byte is read if it is in quarantine, because
 * nothing less can lift that.
 */
export async function* repairSnapshot(
  context: SnapshotContext,
  record: SnapshotRecord,
  readData: boolean,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<Repair> {
  const isQuarantined = record.damage !== null;
  const options = { readData: readData || isQuarantined, mend: true };
  const judgement = await judgeSnapshot(context, record, options, signal);
  if (judgement.outcome === 'gone') return;
  tally.countSnapshot(judgement.outcome === 'compared');
  if (judgement.outcome === 'unjudged') {
    const { finding: found, isManifestDamaged } = judgement;
    yield await repairManifest(context, record, found, isManifestDamaged, signal);
  } else if (judgement.outcome === 'sealed') {
    const found = damagedManifest(record.name, 'it had no manifest when it was damaged');
    if (isQuarantined) yield { finding: found, action: QUARANTINED, detail: 'remove it' };
  } else {
    const { differences, fileCount, readBytes } = judgement.comparison;
    tally.countFiles(fileCount, readBytes);
    applyVerdict(context, record, differences);
    for (const difference of differences) yield repairOf(record.name, difference);
  }
}

/** Durable before anything is said about it. */
function applyVerdict(
  context: SnapshotContext,
  record: SnapshotRecord,
  differences: readonly TreeDifference[],
): void {
  const damage = quarantineText(differences);
  if (damage === record.damage) return;
  context.records.setDamage(record.id, damage);
  if (damage === null) context.log.info({ snapshot: record.name }, 'quarantine is lifted');
  else context.log.error({ snapshot: record.name, damage }, 'a snapshot is in quarantine');
}

/** Tells what became of a difference in a tree. */
export function repairOf(key: string, difference: TreeDifference): Repair {
  const { kind, path, detail } = difference;
  const found = finding(kind, { key, path, detail });
  if (isMended(difference)) return { finding: found, action: MENDED, detail: 'set back' };
  return { finding: found, action: QUARANTINED, detail: 'remove the snapshot and make it again' };
}

/**
 * A manifest is a witness and nothing stands on it, so its loss is no reason to stop containers: it is
 * made anew, of what is there, and said so. A snapshot in quarantine stays there: nothing could tell
 * that it is whole again.
 */
async function repairManifest(
  context: SnapshotContext,
  record: SnapshotRecord,
  found: Finding,
  isManifestDamaged: boolean,
  signal: AbortSignal,
): Promise<Repair> {
  if (record.damage !== null) {
    return { finding: found, action: QUARANTINED, detail: 'it stays so; remove it' };
  }
  if (!isManifestDamaged) return { finding: found, action: FAILED, detail: found.detail };
  try {
    await context.sealer.seal(record, signal);
  } catch (error) {
    signal.throwIfAborted();
    context.log.error({ err: error, snapshot: record.name }, 'no manifest could be made');
    return { finding: found, action: FAILED, detail: 'no manifest could be made' };
  }
  const detail =
    'made anew from what is there now; whether that is what was committed is not known';
  return { finding: found, action: MENDED, detail };
}
