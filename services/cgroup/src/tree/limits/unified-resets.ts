import { readdirSync, statSync } from 'node:fs';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import type { GroupWrite } from './group-write.js';
import { isLimitFile, unifiedField, unifiedHierarchy } from './unified-files.js';
import { unsupported } from './limit-family.js';

/** Set by other kinds of limits, or another view of what they set. */
const OTHERS = /^(hugetlb\..*|cpuset\.(cpus|mems)|io\.max|cpu\.weight\.nice)$/;

/** What takes the line of a single block device away (cgroup-v2.rst). */
const NONE: Readonly<Record<string, string>> = {
  'io.latency': 'target=0',
  'io.weight': 'default',
  'io.bfq.weight': 'default',
};

/**
 * Plans what gives files that only `unified` sets what a new group has in them. The kernel keeps no list of what was
 * written: whatever is not as in the engine's own group, which nobody limits, has been.
 *
 * @param kept - Files that keep what they have, or get something else.
 * @throws RESOURCE_UNSUPPORTED naming a file that cannot be set back
 */
export function planResets(
  tree: CgroupTree,
  id: string,
  kept: Readonly<Record<string, string>>,
): GroupWrite[] {
  const hierarchy = unifiedHierarchy(tree);
  if (hierarchy === undefined) return [];
  const own = new Set(tree.limitFiles.map(({ file }) => file));
  const engine = `${hierarchy.mountPath}/${tree.groupPath}`;
  const files = readdirSync(engine).filter(
    (file) =>
      isLimitFile(file) &&
      !OTHERS.test(file) &&
      !own.has(file) &&
      !Object.hasOwn(kept, file) &&
      isForBoth(`${engine}/${file}`),
  );
  return files.sort().flatMap((file) => {
    const initial = linesOf(readIfThere(`${engine}/${file}`));
    const present = linesOf(readIfThere(`${tree.groupIn(hierarchy, id)}/${file}`));
    if (initial === undefined || present === undefined) return [];
    const field = unifiedField(file);
    return resetsOf(file, present, initial).map(([text, undo]) => ({
      ...{ hierarchy, file, field, text: `${text}\n`, undo: [`${undo}\n`] },
    }));
  });
}

/** @returns What to write, and what to write to have it as it was, for each line that is not as in a new group. */
function resetsOf(
  file: string,
  present: readonly string[],
  initial: readonly string[],
): [text: string, undo: string][] {
  const changed = present.filter((line) => !initial.includes(line));
  return changed.map((line) => {
    const [key = ''] = line.split(' ', 1);
    if (present.length <= 1 && initial.length <= 1 && !isDevice(key))
      return [initial[0] ?? '', line];
    const before = initial.find((each) => each.startsWith(`${key} `));
    if (before !== undefined) return [before, line];
    const none = NONE[file];
    if (none !== undefined && isDevice(key)) return [`${key} ${none}`, line];
    throw unsupported(unifiedField(file), `it has no value that stands for no limit of "${key}"`);
  });
}

/** Whether a file is there to be read and to be written. */
function isForBoth(path: string): boolean {
  const stats = statSync(path);
  return stats.isFile() && (stats.mode & 0o600) === 0o600;
}

function isDevice(key: string): boolean {
  return /^\d+:\d+$/.test(key);
}

/** Undefined if the file cannot be read. An empty one has no lines. */
function linesOf(text: string | undefined): readonly string[] | undefined {
  return text?.split('\n').filter(Boolean);
}
