import { LinuxResources } from '@teu/proto/type';
import { hierarchyOf, isOnDemand, type Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { blockRates } from './block-rates.js';
import { blockWeights, planToKeepWeights } from './block-weights.js';
import { cpuset } from './cpuset.js';
import type { GroupWrite } from './group-write.js';
import { hugepages } from './hugepages.js';
import type { LimitFamily, ResourcesPart, Rest } from './limit-family.js';
import { numbers } from './numbers.js';
import { unified } from './unified.js';
import { planResets } from './unified-resets.js';

/** In the order in which they are written. */
const FAMILIES: readonly LimitFamily[] = [
  cpuset,
  numbers,
  blockWeights,
  blockRates,
  hugepages,
  unified,
];

/** Plans the limits of a new group. */
export function planNew(
  tree: CgroupTree,
  id: string,
  requested: LinuxResources,
): { writes: readonly GroupWrite[]; inForce: LinuxResources } {
  const plans = FAMILIES.map((family) => family.planNew(tree, id, requested));
  return {
    writes: plans.flatMap(({ writes }) => writes),
    inForce: together(plans.map(({ inForce }) => inForce)),
  };
}

/**
 * Plans a change of the limits of a group that exists.
 *
 * @param rest - What becomes of limits that the request does not mention.
 */
export function planChange(
  tree: CgroupTree,
  id: string,
  requested: LinuxResources,
  rest: Rest,
): readonly GroupWrite[] {
  return [
    // First: a group that is idle takes no weight.
    ...(rest === 'stays' ? [] : planResets(tree, id, requested.unified)),
    ...planToKeepWeights(tree, id, requested, rest),
    ...FAMILIES.flatMap((family) => family.planChange(tree, id, requested, rest)),
  ];
}

/** Reads the limits in force of a group. Throws Node's error if it is gone. */
export function readResources(tree: CgroupTree, id: string): LinuxResources {
  return together(FAMILIES.map((family) => family.read(tree, id)));
}

/** Hierarchies that a group must be in for these limits and need not be in otherwise. */
export function hierarchiesFor(tree: CgroupTree, requested: LinuxResources): readonly Hierarchy[] {
  const { cpu, hugepageLimits } = requested;
  const wanted = [
    cpu?.cpus || cpu?.mems ? hierarchyOf(tree.host, 'cpuset') : undefined,
    hugepageLimits.length > 0 ? hierarchyOf(tree.host, 'hugetlb') : undefined,
    Object.keys(requested.unified).length > 0
      ? tree.host.hierarchies.find(({ version }) => version === 2)
      : undefined,
  ];
  const found = wanted.filter((hierarchy) => hierarchy !== undefined && isOnDemand(hierarchy));
  return [...new Set(found as Hierarchy[])];
}

function together(parts: readonly ResourcesPart[]): LinuxResources {
  const merged: Record<string, unknown> = {};
  for (const [key, value] of parts.flatMap((part) => Object.entries(part))) {
    if (value === undefined) continue;
    // Lists belong to one family, objects to several.
    merged[key] = Array.isArray(value) ? value : Object.assign({}, merged[key], value);
  }
  return LinuxResources.fromPartial(merged);
}
