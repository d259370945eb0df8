import { SnapshotAction } from '@teu/proto/event';
import { Kind } from '@teu/proto/snapshots';
import { RepairAction, type Finding, type Repair } from '@teu/proto/storage';
import { failpoint } from '@teu/failpoint';
import type { SnapshotContext } from '../context.js';
import type { FoundManifest } from '../manifests.js';
import type { SnapshotRecord } from '../record.js';
import { TreeProgramError } from '../tree-program.js';
import { compareTree } from './compare-tree.js';
import { lostRecord } from './findings.js';
import { quarantineText } from './quarantine.js';
import type { Tally } from './tally.js';

/** A committed snapshot whose record is gone. */
export interface LostSnapshot {
  readonly id: number;
  /** What says who it was; undefined if that is not whole. */
  readonly manifest: FoundManifest | undefined;
}

/** Reads the manifests of lost snapshots. */
export async function lostOf(
  context: SnapshotContext,
  ids: readonly number[],
): Promise<LostSnapshot[]> {
  const lost: LostSnapshot[] = [];
  for (const id of ids) lost.push({ id, manifest: await context.manifests.read(id) });
  return lost;
}

/**
 * Makes records again from manifests, parents first. The content is read and compared; one that is
 * not whole gets its record in quarantine, so that it can be removed by name.
 */
export async function* restoreRecords(
  context: SnapshotContext,
  lost: readonly LostSnapshot[],
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<Repair> {
  let waiting = [...lost];
  for (let before = -1; waiting.length !== before;) {
    before = waiting.length;
    const later: LostSnapshot[] = [];
    for (const one of waiting) {
      signal.throwIfAborted();
      const parent = one.manifest?.header.parent ?? '';
      if (parent !== '' && findParent(context, parent) === undefined) later.push(one);
      else yield await restoreOne(context, one, tally, signal);
    }
    waiting = later;
  }
  for (const one of waiting) {
    tally.countSnapshot(false);
    const parent = one.manifest?.header.parent ?? '';
    yield failed(
      one,
      `its parent "${parent}" does not exist; make that again and repair once more`,
    );
  }
}

function findParent(context: SnapshotContext, name: string): SnapshotRecord | undefined {
  const parent = context.records.find(name);
  return parent?.kind === Kind.COMMITTED ? parent : undefined;
}

async function restoreOne(
  context: SnapshotContext,
  lost: LostSnapshot,
  tally: Tally,
  signal: AbortSignal,
): Promise<Repair> {
  const { id, manifest } = lost;
  tally.countSnapshot(manifest !== undefined);
  if (manifest === undefined) return failed(lost, 'its manifest is damaged; its files stay');
  const { header, digest } = manifest;
  if (context.records.find(header.name) !== undefined) {
    return failed(lost, `another snapshot is called "${header.name}" by now; its files stay`);
  }
  try {
    const question = { id, digest, readData: true, mend: true };
    const { differences, fileCount, readBytes } = await compareTree(context, question, signal);
    tally.countFiles(fileCount, readBytes);
    const damage = quarantineText(differences);
    await insertRecord(context, id, manifest, damage);
    const { REPAIR_ACTION_MENDED: mended, REPAIR_ACTION_QUARANTINED: quarantined } = RepairAction;
    const action = damage === null ? mended : quarantined;
    return { finding: describeLost(lost), action, detail: damage ?? 'its record is made again' };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TreeProgramError)) throw error;
    return failed(lost, `it cannot be compared: ${error.reason}`);
  }
}

async function insertRecord(
  context: SnapshotContext,
  id: number,
  { header, digest }: FoundManifest,
  damage: string | null,
): Promise<void> {
  const { records } = context;
  const { name, labels, createdAt } = header;
  const usage = await context.driver.usage(id);
  records.transaction(() => {
    const parentId = findParent(context, header.parent)?.id ?? null;
    const kind = Kind.COMMITTED;
    records.insert({ id, name, parentId, kind, labels, createdAt });
    records.commit({ id, name, parentId, kind, labels, at: createdAt, ...usage });
    records.seal(id, digest);
    if (damage !== null) records.setDamage(id, damage);
    context.announce(SnapshotAction.SNAPSHOT_ACTION_COMMITTED, name, header.parent);
  });
  failpoint('storage.restore.after-row');
}

/** Tells of a lost snapshot by the name that its manifest has. */
export function describeLost({ id, manifest }: LostSnapshot): Finding {
  const detail = manifest === undefined ? 'its manifest is damaged' : 'its record is gone';
  return lostRecord(manifest?.header.name ?? '', id.toString(36), detail);
}

function failed(lost: LostSnapshot, detail: string): Repair {
  return { finding: describeLost(lost), action: RepairAction.REPAIR_ACTION_FAILED, detail };
}
