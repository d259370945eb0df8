import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import type { GroupWrite } from './group-write.js';
import { invalid, unsupported, type LimitFamily } from './limit-family.js';
import { isLimitFile, unifiedField, unifiedHierarchy } from './unified-files.js';

/** A page: more does not fit into a file of a cgroup. */
const MOST_BYTES = 4096;

/**
 * Files of a version 2 group, by name. The kernel keeps no list of what was written, so what is in force is not told
 * back. What a request does not name and is to be as new is set back before all others (unified-resets.ts).
 */
export const unified: LimitFamily = {
  planNew: (tree, _id, requested) => ({ writes: entriesOf(tree, requested.unified), inForce: {} }),

  planChange(tree, id, requested) {
    return entriesOf(tree, requested.unified).map((write) => {
      const before = readIfThere(`${tree.groupIn(write.hierarchy, id)}/${write.file}`);
      // A file with a line for each device takes them one by one.
      return { ...write, undo: before?.split('\n').filter(Boolean) ?? [] };
    });
  },

  read: () => ({}),
};

function entriesOf(tree: CgroupTree, entries: Readonly<Record<string, string>>): GroupWrite[] {
  return Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, text]) => entryOf(tree, file, text));
}

function entryOf(tree: CgroupTree, file: string, text: string): GroupWrite {
  const field = unifiedField(file);
  if (!/^[a-z0-9][a-zA-Z0-9_.-]{0,127}$/.test(file)) throw invalid(field, 'is no name of a file');
  if (!isLimitFile(file)) throw invalid(field, 'is not a limit');
  if (!/^[\x20-\x7e]*$/.test(text) || text.length > MOST_BYTES) {
    throw invalid(field, `must be one line of at most ${MOST_BYTES} printable characters`);
  }
  const hierarchy = unifiedHierarchy(tree);
  if (hierarchy === undefined) throw unsupported(field, 'it has no cgroups of version 2');
  const path = `${hierarchy.mountPath}/${tree.groupPath}/${file}`;
  if (readIfThere(path) === undefined) throw unsupported(field, 'its kernel has no such file');
  return { hierarchy, file, text, field };
}
