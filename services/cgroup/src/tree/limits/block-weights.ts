import type { LinuxResources, LinuxWeightDevice } from '@teu/proto/type';
import { hierarchyOf, type Hierarchy } from '../../domain/host.js';
import { blockIoWeightOf, ioWeightOf } from '../../domain/weights.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { readIfThere } from '../group-files.js';
import { blockDeviceOf, isBlockDevice } from './block-device.js';
import type { GroupWrite } from './group-write.js';
import { invalid, NOTHING, unsupported, type LimitFamily, type Rest } from './limit-family.js';
import { sortedByDevice, weightsIn, type ByDevice } from './rate-files.js';

const FIELD = 'resources.block_io.weight_devices';
const MIN = 10;
const MAX = 1000;

/** A file that holds weights of single devices. */
interface WeightFile {
  readonly hierarchy: Hierarchy;
  readonly file: string;
  /** What takes the weight of a device away. */
  readonly none: string;
  /** Whether the weights of devices are lost when the plain weight of the group is written. */
  readonly clears: boolean;
  readonly format: (weight: number) => number;
  readonly parse: (value: number) => number;
}

const same = (weight: number): number => weight;
const PLAIN = { none: '0', clears: false, format: same, parse: same };
/** BFQ gives every device the plain weight of a group when that is written, and takes no 0. */
const BFQ = { ...PLAIN, none: 'default', clears: true };
/** In the order in which they are looked for. io.weight is of the io.cost controller, with other numbers. */
const FILES = [
  { controller: 'blkio', file: 'blkio.weight_device', ...PLAIN },
  { controller: 'blkio', file: 'blkio.bfq.weight_device', ...BFQ },
  { controller: 'io', file: 'io.bfq.weight', ...BFQ },
  {
    controller: 'io',
    file: 'io.weight',
    none: 'default',
    clears: false,
    format: ioWeightOf,
    parse: blockIoWeightOf,
  },
] as const;

/** Weights against siblings on single block devices. */
export const blockWeights: LimitFamily = {
  planNew(tree, _id, { blockIo }) {
    const requested = blockIo?.weightDevices ?? [];
    if (requested.length === 0) return NOTHING;
    const file = needWeightFile(tree);
    const weights = requestedWeights(requested);
    const set = new Map([...weights].filter(([, weight]) => weight !== 0));
    return {
      writes: [...set].map(([device, weight]) => writeOf(file, device, weight)),
      inForce: partOf(set),
    };
  },

  planChange(tree, id, { blockIo }, rest) {
    const requested = blockIo?.weightDevices ?? [];
    const there = findWeightFile(tree);
    const isAsked = requested.length > 0 || rest !== 'stays';
    const isLost = mayBeLost(there, blockIo, rest);
    if (!isLost && (!isAsked || (requested.length === 0 && there === undefined))) return [];
    const file = needWeightFile(tree);
    const before = readWeights(tree, id, file);
    const after = isAsked ? requestedWeights(requested) : before;
    return [...new Set([...before.keys(), ...after.keys()])].flatMap((device) => {
      const [was, is] = [before.get(device) ?? 0, after.get(device) ?? 0];
      if (was === is && !(isLost && is !== 0)) return [];
      return [{ ...writeOf(file, device, is), undo: [writeOf(file, device, was).text] }];
    });
  },

  read(tree, id) {
    const file = findWeightFile(tree);
    return file === undefined ? {} : partOf(readWeights(tree, id, file));
  },
};

/**
 * Plans what brings the weights of devices back if a change of the plain weight is undone: it is undone after it, as it
 * is done before it.
 */
export function planToKeepWeights(
  tree: CgroupTree,
  id: string,
  { blockIo }: LinuxResources,
  rest: Rest,
): GroupWrite[] {
  const file = findWeightFile(tree);
  if (file === undefined || !mayBeLost(file, blockIo, rest)) return [];
  return [...readWeights(tree, id, file)].map(([device, weight]) => {
    const write = writeOf(file, device, weight);
    return { ...write, undo: [write.text] };
  });
}

function mayBeLost(
  file: WeightFile | undefined,
  blockIo: LinuxResources['blockIo'],
  rest: Rest,
): boolean {
  return file?.clears === true && (blockIo?.weight !== undefined || rest !== 'stays');
}

function findWeightFile(tree: CgroupTree): WeightFile | undefined {
  for (const { controller, ...file } of FILES) {
    const hierarchy = hierarchyOf(tree.host, controller);
    const path = `${hierarchy?.mountPath}/${tree.groupPath}/${file.file}`;
    if (hierarchy !== undefined && readIfThere(path) !== undefined) return { hierarchy, ...file };
  }
  return undefined;
}

function needWeightFile(tree: CgroupTree): WeightFile {
  const file = findWeightFile(tree);
  if (file === undefined) throw unsupported(FIELD, 'its kernel has no weights of block devices');
  return file;
}

function requestedWeights(requested: readonly LinuxWeightDevice[]): ByDevice {
  const weights = new Map<string, number>();
  for (const device of requested) {
    const { weight } = device;
    // What has gone has no weight; who takes it off the record may name it.
    if (weight === 0 && device.path === '' && !isBlockDevice(device)) continue;
    if (weight !== 0 && (weight < MIN || weight > MAX)) {
      throw invalid(FIELD, `has a weight of ${weight}; it must be ${MIN} to ${MAX}, or 0 for none`);
    }
    const numbers = blockDeviceOf(device, FIELD);
    if (weights.has(numbers)) throw invalid(FIELD, `names the block device ${numbers} twice`);
    weights.set(numbers, weight);
  }
  return weights;
}

function writeOf(file: WeightFile, device: string, weight: number): GroupWrite {
  const value = weight === 0 ? file.none : String(file.format(weight));
  return {
    hierarchy: file.hierarchy,
    file: file.file,
    text: `${device} ${value}`,
    field: FIELD,
  };
}

function readWeights(tree: CgroupTree, id: string, file: WeightFile): ByDevice {
  const text = readIfThere(`${tree.groupIn(file.hierarchy, id)}/${file.file}`) ?? '';
  return new Map([...weightsIn(text)].map(([device, value]) => [device, file.parse(value)]));
}

function partOf(weights: ByDevice): { blockIo?: { weightDevices: LinuxWeightDevice[] } } {
  if (weights.size === 0) return {};
  const weightDevices = sortedByDevice(weights).map(([major, minor, weight]) => {
    return { path: '', major, minor, weight };
  });
  return { blockIo: { weightDevices } };
}
