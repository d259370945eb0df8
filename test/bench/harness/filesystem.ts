import { mkdirSync, rmdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from './process.js';

/** A mounted file system in a sparse file. */
export interface BenchFilesystem {
  readonly path: string;
  /** Bytes in use on its disk, with all that was written. */
  usedBytes(): number;
  close(): void | Promise<void>;
}

/** Of the sparse file; what is not written takes no room. */
export const FILESYSTEM_BYTES = 24 * 2 ** 30;

/**
 * Makes and mounts one, so that nobody else's work is seen in its figures.
 * @param preallocatedBytes its size, with all of its blocks taken and written beforehand: for figures of writing
 */
export function makeFilesystem(
  directory: string,
  type: 'ext4' | 'btrfs',
  preallocatedBytes?: number,
): BenchFilesystem {
  mkdirSync(directory, { recursive: true });
  const image = join(directory, 'disk');
  const path = join(directory, 'mounted');
  writeFileSync(image, '');
  if (preallocatedBytes === undefined) truncateSync(image, FILESYSTEM_BYTES);
  else capture('fallocate', ['--length', String(preallocatedBytes), image]);
  mkdirSync(path);
  // Otherwise the kernel would write its tables while others are measured.
  const atOnce = type === 'ext4' ? ['-E', 'lazy_itable_init=0,lazy_journal_init=0'] : [];
  capture(`mkfs.${type}`, ['-q', ...(preallocatedBytes === undefined ? [] : atOnce), image]);
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
      rmdirSync(path);
    },
  };
}
