import {
  accessSync,
  chownSync,
  constants,
  mkdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { formatErrorChain, isTeuError, teuError } from '@teu/errors';
import { Capability } from '@teu/proto/storage';
import { keepsAttributes } from '@teu/snapshots';
import { Datasets } from './datasets.js';
import { LayerDatasets, PROBE } from './layer-datasets.js';
import { tryPatiently } from '../../patience.js';
import { runCommand } from './run-command.js';
import { isZfsFailure } from './zfs-failure.js';
import { ZfsDriver, type ZfsHost } from './zfs-driver.js';
import { zfsMounts } from './zfs-mounts.js';

const PROGRAMS = ['/usr/sbin/zfs', '/sbin/zfs', '/usr/local/sbin/zfs', '/usr/bin/zfs'];
/** Names that need no quoting anywhere (zfs(8) allows a blank besides). */
const DATASET = /^[A-Za-z][A-Za-z0-9_.:-]*(?:\/[A-Za-z0-9_.:-]+)*$/;
/** Layers must work as they would in a plain directory. */
const PROPERTIES = ['canmount=off', 'exec=on', 'setuid=on', 'devices=on', 'readonly=off'];
/** Kept by OpenZFS only if asked for, and unknown to zfs-fuse. */
const ACL_PROPERTY = ['acltype', 'posixacl'] as const;
const LARGE_OWNER = 4_000_000_000;
const LATE_HALF_SECOND = 4_000_000_000.5;

/** Where the driver is to keep its data. */
export interface ZfsOptions {
  /** Dataset for the driver; that of the data directory if absent. */
  readonly zfsDataset?: string | undefined;
}

/**
 * Checks that zfs can work here and makes the driver.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED saying what is missing and what to do
 */
export async function openZfsDriver(root: string, options: ZfsOptions = {}): Promise<ZfsDriver> {
  const datasets = new Datasets(findProgram());
  const dataset = options.zfsDataset ?? datasetOf(root);
  if (!DATASET.test(dataset)) throw unsupported(`"${dataset}" is no name of a dataset`);
  try {
    const layers = new LayerDatasets(dataset, root);
    mkdirSync(layers.directory, { recursive: true, mode: 0o700 });
    await prepareParent(datasets, layers);
    return new ZfsDriver(root, { datasets, dataset, ...(await probe(datasets, layers)) });
  } catch (error) {
    if (isTeuError(error)) throw error;
    throw unsupported(formatErrorChain(error), error);
  }
}

/** Looks whether zfs can work in a directory; leaves nothing in it nor in its dataset. */
export async function checkZfsHost(root: string): Promise<void> {
  const datasets = new Datasets(findProgram());
  const dataset = datasetOf(root);
  try {
    await datasets.get(dataset, 'available');
  } catch (error) {
    throw unsupported(formatErrorChain(error), error);
  }
}

function findProgram(): string {
  const found = PROGRAMS.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (found !== undefined) return found;
  throw unsupported('there is no zfs program (Debian: zfsutils-linux, or zfs-fuse)');
}

/** Finds the dataset that holds a directory, by the number of its file system. */
function datasetOf(root: string): string {
  const { dev } = statSync(root, { bigint: true });
  // makedev(3): the number of a file system without a disk has major 0.
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xfff00n);
  const found = zfsMounts().find(({ device }) => device === `0:${minor}`);
  if (found !== undefined) return found.dataset;
  throw unsupported('its directory is not on zfs, and no dataset is given (--zfs-dataset)');
}

async function prepareParent(datasets: Datasets, layers: LayerDatasets): Promise<void> {
  const { parent, directory } = layers;
  try {
    const [mountPoint = ''] = await datasets.get(parent, 'mountpoint');
    if (mountPoint === directory) return;
    throw unsupported(
      `dataset ${parent} belongs to a driver at ${mountPoint}; if that has moved here: zfs set mountpoint=${directory} ${parent}`,
    );
  } catch (error) {
    if (!isZfsFailure(error, 'missing')) throw error;
  }
  await datasets.create(parent, [...PROPERTIES, `mountpoint=${directory}`]);
  await datasets.set(parent, ...ACL_PROPERTY).catch((error: unknown) => {
    if (!isZfsFailure(error, 'other')) throw error;
  });
}

/** Tries on a dataset of its own what files keep, and that this process sees what zfs mounts. */
async function probe(
  datasets: Datasets,
  { parent, directory }: LayerDatasets,
): Promise<Pick<ZfsHost, 'capabilities' | 'filesystem'>> {
  const dataset = `${parent}/${PROBE}`;
  const path = join(directory, PROBE);
  const remove = async (): Promise<void> => {
    if (zfsMounts().some(({ mountPoint }) => mountPoint === path)) {
      await runCommand('/usr/bin/umount', ['--lazy', '--', path], { timeoutMs: 10_000 });
    }
    // One that stays busy is in nobody's way until the next start.
    await tryPatiently(() => datasets.destroy(dataset));
  };
  await remove();
  await datasets.create(dataset, ['canmount=noauto']);
  try {
    await datasets.change((zfs) => zfs('mount', dataset));
    const mount = zfsMounts().find(({ mountPoint }) => mountPoint === path);
    if (mount === undefined) throw unsupported('what zfs mounts is not seen by this process');
    const capabilities: Capability[] = [];
    if (await keepsAttributes(path)) capabilities.push(Capability.CAPABILITY_XATTRS);
    if (isExact(path)) capabilities.push(Capability.CAPABILITY_EXACT_ATTRIBUTES);
    return { capabilities, filesystem: mount.type };
  } finally {
    await remove();
  }
}

/** zfs-fuse cuts times to the second and refuses those after 2038, and owners above 2^31. */
function isExact(directory: string): boolean {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  try {
    chownSync(file, LARGE_OWNER, LARGE_OWNER);
    utimesSync(file, LATE_HALF_SECOND, LATE_HALF_SECOND);
  } catch {
    return false;
  }
  const { uid, mtimeMs } = statSync(file);
  return uid === LARGE_OWNER && mtimeMs === LATE_HALF_SECOND * 1000;
}

function unsupported(why: string, cause?: unknown): Error {
  return teuError('DRIVER_UNSUPPORTED', `storage driver zfs cannot run here: ${why}`, {
    metadata: { driver: 'zfs' },
    cause,
  });
}
