import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zfsPool } from '@teu/testing';
import { capture } from '../harness/process.js';

/** A mounted file system in a sparse file. */
export interface BenchFilesystem {
  readonly path: string;
  /** Bytes in use on its disk, with all that was written. */
  usedBytes(): number;
  close(): void | Promise<void>;
}

const SIZE_BYTES = 24 * 2 ** 30;

/** Makes and mounts one, so that nobody else's work is seen in its figures. */
export function makeFilesystem(directory: string, type: 'ext4' | 'btrfs'): BenchFilesystem {
  mkdirSync(directory, { recursive: true });
  const image = join(directory, 'disk');
  const path = join(directory, 'mounted');
  writeFileSync(image, '');
  truncateSync(image, SIZE_BYTES);
  mkdirSync(path);
  capture(`mkfs.${type}`, ['-q', image]);
  // Direct, so that the page cache has each block once: of the file in it, not of the disk's file too.
  const device = capture('losetup', ['--find', '--show', '--direct-io=on', image]).trim();
  capture('mount', [device, path]);
  // While it is mounted this only has the kernel do it after the last unmount (losetup(8)).
  capture('losetup', ['--detach', device]);
  return {
    path,
    usedBytes: () => {
      capture('sync', ['--file-system', path]);
      const { blocks, bfree, bsize } = statfsSync(path);
      return (blocks - bfree) * bsize;
    },
    close: () => {
      capture('umount', ['--recursive', path]);
      rmSync(image);
    },
  };
}

/** A pool of zfs-fuse, and a directory for what the driver keeps beside it. */
export async function makeZfs(directory: string): Promise<BenchFilesystem & { dataset: string }> {
  mkdirSync(directory, { recursive: true });
  const pool = await zfsPool({ bytes: SIZE_BYTES, directory });
  const zfs = (...args: string[]): string => capture('/usr/sbin/zfs', args);
  return {
    path: directory,
    dataset: pool.name,
    usedBytes: () => {
      // A snapshot ends the transaction that the figures wait for.
      zfs('snapshot', `${pool.name}@now`);
      zfs('destroy', `${pool.name}@now`);
      return Number(zfs('get', '-Hp', '-o', 'value', 'used', pool.name));
    },
    close: () => pool.remove(),
  };
}
