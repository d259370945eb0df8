import type { Branch } from '../branch.js';

/** mount(2) takes its data in one page, and the last byte of it is a zero. */
const MOUNT_DATA_MAX = 4095;

/** What is said of every union beside its branches (aufs(5), "Mount Options"). */
export interface UnionOptions {
  /** File for the table of inode numbers, outside of all branches. */
  readonly xino: string;
}

/**
 * Says how to mount branches: the options of one mount(8), then those of the remounts for what does not
 * fit into the page of options. At a remount, AUFS takes options one after the other.
 *
 * `dirperm1`: the permissions of a directory are those of its highest branch, as an image means them.
 * `udba=reval`: what is changed in a branch directly is seen at the next look. `noplink`: links that lead
 * into lower branches are no longer one file once they are written to; otherwise they would be only for
 * as long as it is mounted, and a layer is more than one mount.
 */
export function mountOptions(branches: readonly Branch[], { xino }: UnionOptions): string[][] {
  const isWritable = branches.some(({ permission }) => permission === 'rw');
  const flags = isWritable ? [] : ['ro'];
  const after = [`xino=${xino}`, 'dirperm1', 'udba=reval', 'noplink'];
  const words = branches.map(wordOf);
  let length = lengthOf(['br', ...after]);
  let count = 0;
  for (const word of words) {
    length += Buffer.byteLength(word) + 1;
    if (length > MOUNT_DATA_MAX) break;
    count += 1;
  }
  const first = [...flags, `br:${words.slice(0, count).join(':')}`, ...after];
  const rest = words.slice(count).map((word) => `append:${word}`);
  return [first, ...remounts(rest, flags)];
}

/**
 * Says how to turn the branches of a mounted union into others: the options of remounts, in order.
 * What moves is taken away first, because no directory can be in the list twice; what is new comes
 * before what is old goes, so that no name is missing in between.
 */
export function changeOptions(current: readonly Branch[], wanted: readonly Branch[]): string[][] {
  const kept = commonPaths(current, wanted);
  const wantedPaths = new Set(wanted.map(({ path }) => path));
  const options: string[] = [];
  let list = current.map(({ path }) => path);
  const remove = (path: string): void => {
    options.push(`del:${path}`);
    list = list.filter((each) => each !== path);
  };
  for (const { path } of current) if (wantedPaths.has(path) && !kept.has(path)) remove(path);
  for (const [index, branch] of wanted.entries()) {
    if (kept.has(branch.path)) continue;
    const above = wanted[index - 1];
    const at = above === undefined ? 0 : list.indexOf(above.path) + 1;
    options.push(`add:${at}:${wordOf(branch)}`);
    list.splice(at, 0, branch.path);
  }
  for (const { path } of current) if (!wantedPaths.has(path)) remove(path);
  const permissions = new Map(current.map(({ path, permission }) => [path, permission]));
  for (const branch of wanted) {
    const isOther = permissions.get(branch.path) !== branch.permission;
    if (kept.has(branch.path) && isOther) options.push(`mod:${wordOf(branch)}`);
  }
  const isWritable = wanted.some(({ permission }) => permission === 'rw');
  return remounts(options, isWritable ? [] : ['ro']);
}

/** Divides options into as many remounts as they need. */
function remounts(options: readonly string[], flags: readonly string[]): string[][] {
  const result: string[][] = [];
  let length = Infinity;
  for (const option of options) {
    length += Buffer.byteLength(option) + 1;
    if (length > MOUNT_DATA_MAX) {
      result.push(['remount', ...flags]);
      length = Buffer.byteLength(option);
    }
    result.at(-1)?.push(option);
  }
  return result;
}

/** The longest sequence of paths that both lists have in the same order. */
function commonPaths(one: readonly Branch[], other: readonly Branch[]): Set<string> {
  const empty: readonly string[] = [];
  let below: (readonly string[])[] = Array.from({ length: other.length + 1 }, () => empty);
  for (const { path } of one.toReversed()) {
    const row: (readonly string[])[] = [...below];
    for (let index = other.length - 1; index >= 0; index -= 1) {
      const [skipThis = empty, skipOther = empty] = [below[index], row[index + 1]];
      const longer = skipThis.length >= skipOther.length ? skipThis : skipOther;
      row[index] = other[index]?.path === path ? [path, ...(below[index + 1] ?? empty)] : longer;
    }
    below = row;
  }
  return new Set(below[0]);
}

function wordOf({ path, permission }: Branch): string {
  return `${path}=${permission}`;
}

function lengthOf(options: readonly string[]): number {
  return Buffer.byteLength(options.join(','));
}
