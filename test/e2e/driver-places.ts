import { join } from 'node:path';
import { loopFilesystem, tempDir, zfsPool, type FeatureName } from '@teu/testing';

/** Where a driver of a test keeps its snapshots. */
export interface DriverPlace {
  /** Options of `teu driver serve`. */
  readonly options: readonly string[];
  remove(): void | Promise<void>;
}

/** A storage driver that tests are run on. */
export interface DriverRow {
  readonly kind: string;
  /** What of the machine it needs. */
  readonly needs: readonly FeatureName[];
  /** Whether running containers get on another base at once. */
  readonly isLive: boolean;
  /** Whether it limits the size of layers. */
  readonly hasQuota: boolean;
  /** Makes room for it. @param bytes at least as much as the test writes */
  makePlace(bytes: number): Promise<DriverPlace>;
}

async function plainPlace(): Promise<DriverPlace> {
  const directory = tempDir();
  return { options: ['--root', join(directory.path, 'tree')], remove: () => directory.remove() };
}

async function btrfsPlace(bytes: number): Promise<DriverPlace> {
  const disk = await loopFilesystem(bytes, 'btrfs');
  return { options: ['--root', join(disk.path, 'tree')], remove: () => disk.remove() };
}

async function zfsPlace(bytes: number): Promise<DriverPlace> {
  const pool = await zfsPool({ bytes });
  const directory = tempDir();
  return {
    options: ['--root', directory.path, '--', '--zfs-dataset', pool.name],
    remove: async () => {
      await pool.remove();
      directory.remove();
    },
  };
}

/** The drivers that work on this kernel. */
export const DRIVER_ROWS: readonly DriverRow[] = [
  {
    ...{ kind: 'overlay2', isLive: false, hasQuota: false },
    ...{ needs: ['root', 'overlayfs'], makePlace: plainPlace },
  },
  {
    ...{ kind: 'vfs', isLive: false, hasQuota: false },
    ...{ needs: ['root'], makePlace: plainPlace },
  },
  {
    ...{ kind: 'btrfs', isLive: false, hasQuota: true },
    ...{ needs: ['root', 'btrfs', 'loop', 'mkfs.btrfs'], makePlace: btrfsPlace },
  },
  {
    ...{ kind: 'zfs', isLive: false, hasQuota: true },
    ...{ needs: ['root', 'fuse', 'zfs-fuse'], makePlace: zfsPlace },
  },
  {
    ...{ kind: 'aufs', isLive: true, hasQuota: false },
    ...{ needs: ['root', 'fuse'], makePlace: plainPlace },
  },
];
