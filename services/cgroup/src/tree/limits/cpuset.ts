import { dirname } from 'node:path';
import { formatCpuList, parseCpuList } from '../../domain/cpu-list.js';
import { hierarchyOf, type Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readGroupFile, readIfThere } from '../group-files.js';
import { followersOf } from './followers.js';
import type { GroupWrite } from './group-write.js';
import { invalid, NOTHING, unsupported, type LimitFamily } from './limit-family.js';

/** Which processors and memory nodes a group may use; the files have the same names on both versions. */
const LISTS = [
  { name: 'cpus', file: 'cpuset.cpus', field: 'resources.cpu.cpus' },
  { name: 'mems', file: 'cpuset.mems', field: 'resources.cpu.mems' },
] as const;

type List = (typeof LISTS)[number];

/**
 * The controller cpuset (cpuset(7); cgroup-v2.rst, "Cpuset"). On version 1 a group without processors and nodes can't
 * have processes; those above ours have them copied into new ones (parent-groups.ts).
 */
export const cpuset: LimitFamily = {
  planNew(tree, id, { cpu }) {
    const asked = LISTS.filter(({ name }) => (cpu?.[name] ?? '') !== '');
    if (asked.length === 0) return NOTHING;
    const hierarchy = cpusetHierarchy(tree, asked[0]);
    const parent = dirname(tree.groupIn(hierarchy, id));
    const part = { cpus: '', mems: '' };
    const writes: GroupWrite[] = [];
    for (const list of asked) {
      const available = effective(list, hierarchy, parent);
      const text = checked(list, cpu?.[list.name] ?? '', available);
      // On version 1 a new group has a copy of the list of the one above it.
      if (hierarchy.version === 1 && text === available) continue;
      part[list.name] = text;
      writes.push({ hierarchy, file: list.file, field: list.field, text });
    }
    return { writes, inForce: { cpu: writes.length === 0 ? undefined : part } };
  },

  planChange(tree, id, { cpu }, rest) {
    const asked = LISTS.filter(({ name }) => (cpu?.[name] ?? '') !== '');
    const there = hierarchyOf(tree.host, 'cpuset');
    if (asked.length === 0 && (rest === 'stays' || there === undefined)) return [];
    const hierarchy = cpusetHierarchy(tree, asked[0]);
    const group = tree.groupIn(hierarchy, id);
    return (rest === 'stays' ? asked : LISTS).flatMap((list): GroupWrite[] => {
      const { file, field } = list;
      // A group that was not in this hierarchy yet begins with what the one above it has.
      const before = readIfThere(`${group}/${file}`)?.trim();
      const wanted = cpu?.[list.name] ?? '';
      if (wanted === '' && before === undefined) return [];
      const text =
        wanted === ''
          ? allOf(list, hierarchy, dirname(group))
          : checked(list, wanted, effective(list, hierarchy, dirname(group)));
      if (text === before) return [];
      // Version 2 moves what lies in the memory of other nodes (cgroup-v2.rst, cpuset.mems).
      const isMoving = hierarchy.version === 2 && list.name === 'mems';
      const change = {
        hierarchy,
        file,
        field,
        text,
        slow: isMoving ? ('moves' as const) : undefined,
      };
      return before === undefined ? [lineOf(change)] : changeOf(tree, id, change, before);
    });
  },

  read(tree, id) {
    const hierarchy = hierarchyOf(tree.host, 'cpuset');
    if (hierarchy === undefined) return {};
    const group = tree.groupIn(hierarchy, id);
    const texts = LISTS.map(({ file }) => readIfThere(`${group}/${file}`)?.trim() ?? '');
    return { cpu: partOf(LISTS, texts, hierarchy, dirname(group)) };
  },
};

function cpusetHierarchy(tree: CgroupTree, list: List | undefined): Hierarchy {
  const hierarchy = hierarchyOf(tree.host, 'cpuset');
  if (hierarchy !== undefined) return hierarchy;
  throw unsupported(list?.field ?? '', 'it has no cpuset controller');
}

/**
 * @param there - What the group above has.
 * @returns The list as the kernel writes it.
 */
function checked({ field }: List, text: string, there: string): string {
  const wanted = parseCpuList(text);
  if (wanted === undefined) throw invalid(field, `is "${text}"; it must be a list like 0-3,7`);
  const available = new Set(parseCpuList(there));
  if (wanted.every((number) => available.has(number))) return formatCpuList(wanted);
  throw invalid(field, `is ${text}; there are ${there} here`);
}

type Change = Pick<GroupWrite, 'group' | 'hierarchy' | 'file' | 'field' | 'text' | 'slow'>;

/** The kernel takes an empty line for "all" on version 2. */
function lineOf(change: Change, before?: string): GroupWrite {
  const undo = before === undefined ? [] : [`${before}\n`];
  return { ...change, text: `${change.text}\n`, undo };
}

/**
 * Changes the list of a group and, on version 1, of what is in it and has the same. At no time may one below have
 * what one above it has not: so first all get what they have and shall have, those above first, and then give up
 * what they shall not keep, those below first.
 */
function changeOf(tree: CgroupTree, id: string, change: Change, before: string): GroupWrite[] {
  const followers =
    change.hierarchy.version === 1
      ? followersOf(tree, id, change, (text) => text.trim() === before)
      : [];
  if (followers.length === 0) return [lineOf(change, before)];
  const all = [id, ...followers].map((group) => ({ ...change, group }));
  const both = unionOf(before, change.text);
  const wider = both === before ? [] : all.map((one) => lineOf({ ...one, text: both }, before));
  const last = both === change.text ? [] : all.reverse().map((one) => lineOf(one, both));
  return [...wider, ...last];
}

function unionOf(...texts: readonly string[]): string {
  const numbers = new Set(texts.flatMap((text) => parseCpuList(text) ?? []));
  return formatCpuList([...numbers].sort((a, b) => a - b));
}

/** What stands for no limit: on version 1 what the group above has. */
function allOf({ file }: List, { version }: Hierarchy, parent: string): string {
  return version === 2 ? '' : readGroupFile(`${parent}/${file}`).trim();
}

function effective({ file }: List, { version }: Hierarchy, group: string): string {
  return readGroupFile(`${group}/${file}${version === 2 ? '.effective' : ''}`).trim();
}

/** What is not as in the group above, of which a new group has a copy on version 1. */
function partOf(
  lists: readonly List[],
  texts: readonly string[],
  hierarchy: Hierarchy,
  parent: string,
): { cpus: string; mems: string } | undefined {
  const part = { cpus: '', mems: '' };
  for (const [index, list] of lists.entries()) {
    const text = texts[index] ?? '';
    const isOwn = hierarchy.version === 2 || text !== readIfThere(`${parent}/${list.file}`)?.trim();
    if (isOwn) part[list.name] = text;
  }
  return part.cpus === '' && part.mems === '' ? undefined : part;
}
