import { readdirSync } from 'node:fs';
import { hierarchyOf, type Hierarchy } from '../../domain/host.js';
import { parseNumber } from '../../domain/keyed-file.js';
import type { LinuxHugepageLimit } from '@teu/proto/type';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import { passOnWhatIsNeeded } from '../parent-groups.js';
import type { GroupWrite } from './group-write.js';
import { invalid, NOTHING, unsupported, type LimitFamily } from './limit-family.js';

const FIELD = 'resources.hugepage_limits';
const UNITS: Readonly<Record<string, number>> = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** A size of pages that this host has. */
interface PageSize {
  readonly name: string;
  readonly bytes: number;
  /** Files of its limit; the one of reservations, which kernels have since 5.7, is first. */
  readonly files: readonly string[];
}

/**
 * The controller hugetlb (kernel: hugetlb.rst, cgroup-v2.rst "HugeTLB"). As the OCI specification says, the limit is
 * set for what is used and, where the kernel can, for what is reserved.
 */
export const hugepages: LimitFamily = {
  planNew(tree, id, { hugepageLimits }) {
    if (hugepageLimits.length === 0) return NOTHING;
    const hierarchy = hugetlbHierarchy(tree);
    passOnWhatIsNeeded(hierarchy, tree.pathOf(id));
    const limits = checked(sizesOf(tree, hierarchy), hugepageLimits);
    return {
      writes: limits.flatMap(({ size, bytes }) => writesOf(hierarchy, size, String(bytes))),
      inForce: {
        hugepageLimits: limits.map(({ size, bytes }) => ({ pageSize: size.name, limit: bytes })),
      },
    };
  },

  planChange(tree, id, { hugepageLimits }, rest) {
    const there = hierarchyOf(tree.host, 'hugetlb');
    if (hugepageLimits.length === 0 && (rest === 'stays' || there === undefined)) return [];
    const hierarchy = hugetlbHierarchy(tree);
    if (hugepageLimits.length > 0) passOnWhatIsNeeded(hierarchy, tree.pathOf(id));
    const sizes = sizesOf(tree, hierarchy);
    const limits = checked(sizes, hugepageLimits);
    const group = tree.groupIn(hierarchy, id);
    // The list replaces the one before: what it does not mention is not limited any more.
    return sizes.flatMap((size) => {
      const bytes = limits.find((limit) => limit.size === size)?.bytes;
      const text = bytes === undefined ? noLimit(hierarchy) : String(bytes);
      return writesOf(hierarchy, size, text).flatMap((write) => {
        const before = readIfThere(`${group}/${write.file}`)?.trim();
        if (before === undefined && bytes === undefined) return [];
        return before === text ? [] : [{ ...write, undo: before === undefined ? [] : [before] }];
      });
    });
  },

  read(tree, id) {
    const hierarchy = hierarchyOf(tree.host, 'hugetlb');
    if (hierarchy === undefined) return {};
    const group = tree.groupIn(hierarchy, id);
    const hugepageLimits = sizesOf(tree, hierarchy).flatMap((size) => {
      const limit = limitIn(group, size);
      return limit === undefined ? [] : [{ pageSize: size.name, limit }];
    });
    return hugepageLimits.length === 0 ? {} : { hugepageLimits };
  },
};

function limitIn(group: string, { files }: PageSize): number | undefined {
  const text = readIfThere(`${group}/${files.at(-1)}`);
  if (text === undefined) return undefined;
  const limit = parseNumber(text);
  return limit === -1 ? undefined : limit;
}

function hugetlbHierarchy(tree: CgroupTree): Hierarchy {
  const hierarchy = hierarchyOf(tree.host, 'hugetlb');
  if (hierarchy === undefined) throw unsupported(FIELD, 'it has no hugetlb controller');
  return hierarchy;
}

/** Finds the sizes by the files of the engine's own group. */
function sizesOf(tree: CgroupTree, hierarchy: Hierarchy): readonly PageSize[] {
  const [limit, reserved] =
    hierarchy.version === 1
      ? ['limit_in_bytes', 'rsvd.limit_in_bytes']
      : (['max', 'rsvd.max'] as const);
  const files = readdirSync(`${hierarchy.mountPath}/${tree.groupPath}`);
  const pattern = new RegExp(`^hugetlb\\.((\\d+)([KMG]B))\\.${limit}$`);
  return files.sort().flatMap((file): PageSize[] => {
    const [, name, count, unit] = pattern.exec(file) ?? [];
    if (name === undefined || unit === undefined) return [];
    const ofReserved = `hugetlb.${name}.${reserved}`;
    const all = files.includes(ofReserved) ? [ofReserved, file] : [file];
    return [{ name, bytes: Number(count) * (UNITS[unit] ?? 1), files: all }];
  });
}

interface SizeLimit {
  readonly size: PageSize;
  /** Rounded down to whole pages, as the kernel does. */
  readonly bytes: number;
}

function checked(
  sizes: readonly PageSize[],
  requested: readonly LinuxHugepageLimit[],
): readonly SizeLimit[] {
  const names = requested.map(({ pageSize }) => pageSize);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(FIELD, `has two limits of pages of ${twice}`);
  const limits = requested.map(({ pageSize, limit }): SizeLimit => {
    const size = sizes.find(({ name }) => name === pageSize);
    if (size !== undefined) return { size, bytes: Math.floor(limit / size.bytes) * size.bytes };
    if (!/^[1-9]\d{0,4}[KMG]B$/.test(pageSize)) {
      throw invalid(FIELD, `names pages of "${pageSize}"; a size is written like 2MB`);
    }
    throw unsupported(FIELD, `it has no huge pages of ${pageSize}`);
  });
  return limits.sort((a, b) => (a.size.name < b.size.name ? -1 : 1));
}

/** Version 1 takes -1 for no limit. */
function noLimit({ version }: Hierarchy): string {
  return version === 1 ? '-1' : 'max';
}

function writesOf(hierarchy: Hierarchy, { files }: PageSize, text: string): GroupWrite[] {
  return files.map((file) => ({ hierarchy, file, text, field: FIELD }));
}
