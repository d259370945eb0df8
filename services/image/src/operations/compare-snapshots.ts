import type { Change, CompareSnapshotsRequest } from '@teu/proto/image';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { ImageParts } from './image-parts.js';
import { lookAtTree, requireSnapshot, type TreeLook } from './tree-look.js';

const BATCH_COUNT_MAX = 1000;
/** A message has at most 4 MiB, and a character of a path takes up to three bytes. */
const BATCH_CHARACTERS_MAX = 512 * 1024;
/** Drivers allow far fewer layers. */
const CHAIN_LENGTH_MAX = 1024;

type Parts = Pick<ImageParts, 'chores' | 'drivers' | 'store' | 'trees'>;

/**
 * Tells in what two trees of a driver differ, in messages of at most 1000 changes. The next one is worked on when it
 * is asked for.
 * @throws DRIVER_NOT_FOUND, SNAPSHOT_NOT_FOUND, CONFLICT if a tree was written to meanwhile
 */
export async function* compareSnapshots(
  parts: Parts,
  { driver: driverName, from, to }: CompareSnapshotsRequest,
  signal: AbortSignal,
): AsyncGenerator<Change[], void, undefined> {
  const driver = parts.drivers.get(driverName);
  const target = await requireSnapshot(driver, to, 'to');
  const source = from === '' ? undefined : await requireSnapshot(driver, from, 'from');
  const descends = await standsOn(driver, target.parent, from);
  await using old = source && (await lookAtTree(parts, driver, from, source));
  await using changed: TreeLook = await lookAtTree(parts, driver, to, target);
  const trees = { old: old?.mounts, changed: changed.mounts, descends };
  yield* inBatches(parts.trees.compare(trees, signal));
}

/** Whether a snapshot is `parent`, or one that this stands on. */
async function standsOn(driver: LayerDriver, parent: string, name: string): Promise<boolean> {
  let at = parent;
  for (let length = 0; at !== '' && length < CHAIN_LENGTH_MAX; length += 1) {
    if (at === name) return true;
    at = (await driver.describe(at))?.parent ?? '';
  }
  return false;
}

async function* inBatches(changes: AsyncIterable<Change>): AsyncGenerator<Change[]> {
  let batch: Change[] = [];
  let characters = 0;
  for await (const change of changes) {
    batch.push(change);
    characters += change.path.length;
    if (batch.length < BATCH_COUNT_MAX && characters < BATCH_CHARACTERS_MAX) continue;
    yield batch;
    batch = [];
    characters = 0;
  }
  if (batch.length > 0) yield batch;
}
