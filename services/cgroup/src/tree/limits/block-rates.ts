import type { LinuxBlockIo, LinuxThrottleDevice } from '@teu/proto/type';
import { hierarchyOf, type Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import { blockDeviceOf, isBlockDevice } from './block-device.js';
import type { GroupWrite } from './group-write.js';
import { invalid, unsupported, type LimitFamily } from './limit-family.js';
import {
  RATE_LISTS,
  rateLine,
  ratesIn,
  sortedByDevice,
  type ByDevice,
  type RateList,
} from './rate-files.js';

/** Bytes and operations per second on single block devices: blkio.throttle.* and io.max. */
export const blockRates: LimitFamily = {
  planNew(tree, _id, { blockIo }) {
    const asked = RATE_LISTS.filter(({ name }) => (blockIo?.[name].length ?? 0) > 0);
    const plans = asked.map((list) => {
      const hierarchy = throttleHierarchy(tree, list);
      const rates = requestedRates(list, blockIo);
      const writes = [...rates].map(([device, rate]) => writeOf(hierarchy, list, device, rate));
      return { list, rates: withoutNone(rates), writes };
    });
    return {
      writes: plans.flatMap(({ writes }) => writes),
      inForce: partOf(new Map(plans.map(({ list, rates }) => [list, rates]))),
    };
  },

  planChange(tree, id, { blockIo }, rest) {
    return RATE_LISTS.flatMap((list) => {
      const isAsked = (blockIo?.[list.name].length ?? 0) > 0;
      if (!isAsked && (rest === 'stays' || findThrottle(tree, list) === undefined)) return [];
      const hierarchy = throttleHierarchy(tree, list);
      const before = readRates(tree, id, hierarchy, list);
      const after = requestedRates(list, blockIo);
      // The list replaces the one before.
      const devices = new Set([...before.keys(), ...after.keys()]);
      return [...devices].flatMap((device) => {
        const [was, is] = [before.get(device) ?? 0, after.get(device) ?? 0];
        if (was === is) return [];
        const undo = [rateLine(device, was, list, hierarchy.version)];
        return [{ ...writeOf(hierarchy, list, device, is), undo }];
      });
    });
  },

  read(tree, id) {
    const hierarchy = hierarchyOf(tree.host, 'blkio') ?? hierarchyOf(tree.host, 'io');
    if (hierarchy === undefined) return {};
    return partOf(new Map(RATE_LISTS.map((list) => [list, readRates(tree, id, hierarchy, list)])));
  },
};

function findThrottle(tree: CgroupTree, list: RateList): Hierarchy | undefined {
  const hierarchy = hierarchyOf(tree.host, 'blkio') ?? hierarchyOf(tree.host, 'io');
  if (hierarchy === undefined) return undefined;
  const path = `${hierarchy.mountPath}/${tree.groupPath}/${fileOf(hierarchy, list)}`;
  return readIfThere(path) === undefined ? undefined : hierarchy;
}

function throttleHierarchy(tree: CgroupTree, list: RateList): Hierarchy {
  const hierarchy = findThrottle(tree, list);
  if (hierarchy !== undefined) return hierarchy;
  throw unsupported(list.field, 'its kernel cannot throttle block devices');
}

function fileOf({ version }: Hierarchy, { v1 }: RateList): string {
  return version === 1 ? v1 : 'io.max';
}

function writeOf(hierarchy: Hierarchy, list: RateList, device: string, rate: number): GroupWrite {
  const text = rateLine(device, rate, list, hierarchy.version);
  return { hierarchy, file: fileOf(hierarchy, list), text, field: list.field };
}

function readRates(tree: CgroupTree, id: string, hierarchy: Hierarchy, list: RateList): ByDevice {
  const path = `${tree.groupIn(hierarchy, id)}/${fileOf(hierarchy, list)}`;
  return ratesIn(readIfThere(path) ?? '', list, hierarchy.version);
}

function requestedRates({ name, field }: RateList, blockIo: LinuxBlockIo | undefined): ByDevice {
  const rates = new Map<string, number>();
  for (const device of blockIo?.[name] ?? []) {
    // What has gone has no limit; who takes it off the record may name it.
    if (device.rate === 0 && device.path === '' && !isBlockDevice(device)) continue;
    const numbers = blockDeviceOf(device, field);
    if (rates.has(numbers)) throw invalid(field, `names the block device ${numbers} twice`);
    rates.set(numbers, device.rate);
  }
  return rates;
}

function withoutNone(rates: ByDevice): ByDevice {
  return new Map([...rates].filter(([, rate]) => rate !== 0));
}

function partOf(lists: ReadonlyMap<RateList, ByDevice>): { blockIo?: Partial<LinuxBlockIo> } {
  const blockIo: Partial<Record<RateList['name'], LinuxThrottleDevice[]>> = {};
  for (const [{ name }, rates] of lists) {
    if (rates.size === 0) continue;
    blockIo[name] = sortedByDevice(rates).map(([major, minor, rate]) => {
      return { path: '', major, minor, rate };
    });
  }
  return Object.keys(blockIo).length === 0 ? {} : { blockIo };
}
