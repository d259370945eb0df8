import { join } from 'node:path';
import { makeFilesystem, type BenchFilesystem } from '../harness/filesystem.js';
import { makeZfs } from './zfs-filesystem.js';
import type { UpgradeSubject } from './upgrade-effect.js';

const CONTAINERS = 100;
/** Each of these costs as much as the image. */
const CONTAINERS_COPIED = 5;

/** A driver's file system, and how an engine is started on it. */
export interface PlacedUpgrade {
  readonly subject: UpgradeSubject;
  readonly filesystem: BenchFilesystem;
}

type Place = (directory: string) => Promise<PlacedUpgrade>;

const onDisk =
  (driver: string, type: 'ext4' | 'btrfs', containers = CONTAINERS): Place =>
  async (directory) => {
    const filesystem = makeFilesystem(directory, type);
    const dataDir = join(filesystem.path, 'data');
    return { filesystem, subject: { driver, dataDir, containers } };
  };

const onZfs: Place = async (directory) => {
  const filesystem = await makeZfs(directory);
  const env = { TEU_STORAGE_ZFS_DATASET: filesystem.dataset };
  const dataDir = join(filesystem.path, 'data');
  return { filesystem, subject: { driver: 'zfs', dataDir, env, containers: CONTAINERS } };
};

/** How each driver is measured. */
export const UPGRADE_PLACES: Readonly<Record<string, Place>> = {
  aufs: onDisk('aufs', 'ext4'),
  overlay2: onDisk('overlay2', 'ext4'),
  btrfs: onDisk('btrfs', 'btrfs'),
  zfs: onZfs,
  vfs: onDisk('vfs', 'ext4', CONTAINERS_COPIED),
};
