import { clock } from '@teu/ids';
import type { Stats } from '@teu/proto/cgroup';
import { GroupGone } from '../stats/directory-files.js';
import { figureDirectories } from '../stats/figure-directories.js';
import { FigureParts } from '../stats/figure-parts.js';
import { OpenFiles } from '../stats/open-files.js';
import type { CgroupTree } from './cgroup-tree.js';

const keepNone = new OpenFiles(0);

/**
 * Reads the figures of a group, once. What the host does not measure is absent, and so is what is gone already
 * where a group is half removed.
 */
export function readStats(tree: CgroupTree, id: string): Stats {
  const parts = new FigureParts(figureDirectories(tree, id), keepNone);
  return {
    readTime: clock.now(),
    cpu: ifThere(() => parts.cpu()),
    memory: ifThere(() => parts.memory()),
    pids: ifThere(() => parts.pids()),
    io: ifThere(() => parts.io()),
    pressure: ifThere(() => parts.pressure()),
  };
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GroupGone) return undefined;
    throw error;
  }
}
