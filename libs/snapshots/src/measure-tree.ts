import { setImmediate } from 'node:timers/promises';
import type { DiskUsage } from './driver.js';
import { walkSmall } from './disk-walk.js';
import { runTree, TreeProgramError } from './tree-program.js';

/** So few are looked at in no time. */
const FREE_INODES = 16;

/** How a tree is measured. */
export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  /** Leave out blocks that other files share, where the file system tells (reflinks). */
  readonly exclusive?: boolean;
}

/**
 * Adds up the blocks and inodes of a directory and all in it, without crossing into other file
 * systems. What vanishes meanwhile is left out; a file with several names counts once.
 *
 * A tree of a few files is measured here, which is cheaper than a process; any other by teu-tree.
 *
 * @param root - Directory; none is no error and counts nothing.
 */
export async function measureTree(
  root: string,
  { signal, exclusive = false }: MeasureOptions = {},
): Promise<DiskUsage> {
  signal?.throwIfAborted();
  const small = exclusive ? undefined : walkSmall(root);
  if (small !== undefined) {
    // Who measures many in a row holds up others no longer than one takes.
    if (small.inodes > FREE_INODES) await setImmediate();
    return small;
  }
  const flags = exclusive ? ['--exclusive'] : [];
  try {
    const line = await runTree(['usage', root, ...flags], { signal });
    const answer = JSON.parse(line) as { bytes: number; inodes: number; exclusive?: number };
    return { bytes: answer.exclusive ?? answer.bytes, inodes: answer.inodes };
  } catch (error) {
    if (error instanceof TreeProgramError && error.code === 'ENOENT') return NOTHING;
    throw error;
  }
}

const NOTHING: DiskUsage = { bytes: 0, inodes: 0 };

/** Measures as {@link measureTree} does, all blocks. */
export function walkUsage(root: string, signal?: AbortSignal): Promise<DiskUsage> {
  return measureTree(root, { signal });
}
