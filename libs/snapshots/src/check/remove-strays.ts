import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isTeuError, teuError } from '@teu/errors';
import { RepairAction, type Finding, type Repair } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import { deleteTree } from '../delete-tree.js';
import { strayManifest, strayOf, foreignStorage } from './findings.js';
import type { Survey } from './survey.js';

/** Removes what lies in the driver's directories and belongs to no snapshot. */
export async function* removeStrays(
  context: SnapshotContext,
  { strays, strayManifests, foreign }: Survey,
  signal: AbortSignal,
): AsyncGenerator<Repair> {
  const { driver, manifests } = context;
  for (const id of strays) {
    signal.throwIfAborted();
    yield await attempt(context, strayOf(id), async () => {
      await driver.discard(id);
      context.scheduleReclaim();
    });
  }
  for (const id of strayManifests) {
    yield await attempt(context, strayManifest(id), async () => manifests.remove(id));
  }
  for (const name of foreign) {
    signal.throwIfAborted();
    yield await attempt(context, foreignStorage(name), () => removeForeign(context, name));
  }
}

async function attempt(
  context: SnapshotContext,
  found: Finding,
  remove: () => Promise<void>,
): Promise<Repair> {
  try {
    await remove();
    return { finding: found, action: RepairAction.REPAIR_ACTION_REMOVED, detail: 'removed' };
  } catch (error) {
    context.log.error({ err: error, path: found.path }, 'stray storage stays');
    const detail = isTeuError(error) ? error.message : 'it cannot be removed';
    return { finding: found, action: RepairAction.REPAIR_ACTION_FAILED, detail };
  }
}

async function removeForeign({ driver, root }: SnapshotContext, name: string): Promise<void> {
  const path = join(root, name);
  const within = relative(root, path);
  if (within === '' || within.startsWith('..')) throw new Error('not below the directory');
  // The manifests are not the driver's, so it knows nothing of files among them.
  const isOurs = within.startsWith('manifests/');
  if (!isOurs && driver.removeForeign !== undefined) {
    await driver.removeForeign(name);
    return;
  }
  refuseMounts(path);
  await deleteTree(path);
}

/** Deleting would go on in what is mounted there. Blanks in mount points are written \040 (proc(5)). */
function refuseMounts(path: string): void {
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [, , , , escaped = ''] = line.split(' ');
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    if (point === path || point.startsWith(`${path}/`)) {
      throw teuError('INVALID_STATE', 'something is mounted there');
    }
  }
}
