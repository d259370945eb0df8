import { mkdirSync } from 'node:fs';
import { zfsPool } from '@teu/testing';
import { FILESYSTEM_BYTES, type BenchFilesystem } from '../harness/filesystem.js';
import { capture } from '../harness/process.js';

/** A pool of zfs-fuse, and a directory for what the driver keeps beside it. */
export async function makeZfs(directory: string): Promise<BenchFilesystem & { dataset: string }> {
  mkdirSync(directory, { recursive: true });
  const pool = await zfsPool({ bytes: FILESYSTEM_BYTES, directory });
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
