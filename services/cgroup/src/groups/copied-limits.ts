import type { LinuxResources } from '@teu/proto/type';
import { hierarchyOf, type Hierarchy } from '../domain/host.js';
import { NO_LIMITS } from '../domain/limits.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { readIfThere, writeGroupFile } from '../tree/group-files.js';

/** What containers have of a file of which version 1 gave them a copy of what their group has. */
export interface CopiedLimit {
  readonly file: string;
  /** As it is written. */
  readonly text: string;
  /** The containers, in the group and below. */
  readonly ids: readonly string[];
}

/** Part of the payload of an intent to change limits of a group. */
export interface CopiedBefore {
  readonly copied: readonly CopiedLimit[];
}

/**
 * Tells what containers have of files that a change of a group is about. Written down before it: a change takes those
 * along that have what the group has, one by one, and in the middle of it nothing else tells who followed from who has
 * asked for the same.
 *
 * @param requested - The change; undefined for one that may be about all limits.
 */
export function copiedBefore(
  tree: CgroupTree,
  name: string,
  requested: LinuxResources | undefined,
): CopiedBefore {
  const files = copiedFiles(tree).filter(
    ({ file }) => requested === undefined || isAbout(requested, file),
  );
  if (files.length === 0) return { copied: [] };
  const ids = [...tree.inhabitants(name).containers.keys()];
  const copied = files.flatMap(({ hierarchy, file, meaning }): CopiedLimit[] => {
    const byText = new Map<string, string[]>();
    for (const id of ids) {
      const present = readIfThere(`${tree.groupIn(hierarchy, id)}/${file}`);
      if (present === undefined) continue;
      const text = meaning(present);
      const having = byText.get(text);
      if (having === undefined) byText.set(text, [id]);
      else having.push(id);
    }
    return [...byText].map(([text, having]) => ({ file, text, ids: having }));
  });
  return { copied };
}

function isAbout({ cpu, memory }: LinuxResources, file: string): boolean {
  if (file === 'cpuset.cpus') return (cpu?.cpus ?? '') !== '';
  if (file === 'cpuset.mems') return (cpu?.mems ?? '') !== '';
  if (file === 'memory.swappiness') return memory?.swappiness !== undefined;
  return memory?.disableOomKiller !== undefined;
}

/**
 * Gives containers what they had before a change of their group that was not finished. The groups must have it already.
 * One that is gone is left out. Throws Node's error.
 */
export function giveBackCopied(tree: CgroupTree, { copied }: Partial<CopiedBefore>): void {
  for (const { file, text, ids } of copied ?? []) {
    const source = copiedFiles(tree).find((each) => each.file === file);
    if (source === undefined) continue;
    for (const id of ids) {
      const path = `${tree.groupIn(source.hierarchy, id)}/${file}`;
      const present = readIfThere(path);
      if (present !== undefined && source.meaning(present) !== text) writeGroupFile(path, text);
    }
  }
}

interface CopiedFile {
  readonly hierarchy: Hierarchy;
  readonly file: string;
  /** What is written to have what a text of the file says. */
  readonly meaning: (text: string) => string;
}

function copiedFiles(tree: CgroupTree): readonly CopiedFile[] {
  const cpuset = hierarchyOf(tree.host, 'cpuset');
  const lists = cpuset?.version === 1 ? ['cpuset.cpus', 'cpuset.mems'] : [];
  return [
    ...lists.map((file) => ({
      ...{ hierarchy: cpuset as Hierarchy, file, meaning: (text: string) => text.trim() },
    })),
    ...tree.limitFiles
      .filter(({ copied }) => copied)
      .map(({ hierarchy, file, format, parse }) => {
        const meaning = (text: string): string =>
          format({ ...NO_LIMITS, ...parse(text, NO_LIMITS) });
        return { hierarchy, file, meaning };
      }),
  ];
}
