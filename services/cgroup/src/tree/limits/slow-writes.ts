import { parseNumber } from '../../domain/keyed-file.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import { NO_SIGNAL, slowWrite } from '../slow-write.js';
import {
  inUse,
  pathOf,
  performWrite,
  refusalOf,
  undoWrite,
  type GroupWrite,
} from './group-write.js';
import { reclaimSlowly } from './reclaim-memory.js';

/**
 * Does those of a change's writes that may take long, before all others and while others are answered. Where none takes
 * long nothing is done: then they are as quick as the others.
 *
 * A lower limit of memory has the kernel free what is above it, in seconds for gigabytes.
 *
 * @param signal - Of who wants the change; when it comes, what was done is taken back.
 * @returns What takes back what was done. It never fails.
 * @throws as performWrite, and the signal's reason; then nothing is changed
 */
export async function performSlow(
  tree: CgroupTree,
  id: string,
  writes: readonly GroupWrite[],
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const slow = writes.filter(({ slow }) => slow !== undefined);
  const done: GroupWrite[] = [];
  const takeBack = async (): Promise<void> => {
    for (const write of done.reverse()) await setBack(tree, id, write);
  };
  if (!slow.some((write) => takesLong(tree, id, write))) return takeBack;
  try {
    for (const write of slow) {
      // If it is refused, or given up, it is not known whether it was done.
      if (write.slow !== 'frees first') done.push(write);
      await perform(tree, id, write, signal);
    }
  } catch (error) {
    await takeBack();
    throw error;
  }
  return takeBack;
}

async function perform(
  tree: CgroupTree,
  id: string,
  write: GroupWrite,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (write.slow === 'frees first') {
    const limit = parseNumber(write.text);
    if (limit === -1 || (await reclaimSlowly(tree.groupIn(write.hierarchy, id), limit, signal)))
      return;
    throw inUse(write.field, id, write.text);
  }
  if (!takesLong(tree, id, write)) {
    performWrite(tree, id, write);
    return;
  }
  try {
    await slowWrite(pathOf(tree, id, write), write.text, signal);
  } catch (error) {
    throw signal.aborted ? error : refusalOf(write, id, error);
  }
}

/** The kernel moves memory as slowly back; a higher limit it takes at once. */
async function setBack(tree: CgroupTree, id: string, write: GroupWrite): Promise<void> {
  try {
    if (write.slow !== 'moves') {
      undoWrite(tree, id, write);
      return;
    }
    for (const text of write.undo ?? []) await slowWrite(pathOf(tree, id, write), text, NO_SIGNAL);
  } catch {
    // Told is what made it necessary.
  }
}

/** Files that say how much of what a limit is of is in use. */
const USAGE: Readonly<Record<string, string>> = {
  'memory.limit_in_bytes': 'memory.usage_in_bytes',
  'memory.memsw.limit_in_bytes': 'memory.memsw.usage_in_bytes',
  'memory.max': 'memory.current',
  'memory.high': 'memory.current',
};

/** Whether there is anything to free, or to move. */
function takesLong(
  tree: CgroupTree,
  id: string,
  { hierarchy, file, text, slow }: GroupWrite,
): boolean {
  const group = tree.groupIn(hierarchy, id);
  if (slow === 'moves') return /^populated 1$/m.test(readIfThere(`${group}/cgroup.events`) ?? '');
  const limit = parseNumber(text);
  const usage = readIfThere(`${group}/${USAGE[file]}`);
  return limit !== -1 && usage !== undefined && parseNumber(usage) > limit;
}
