import { freemem, tmpdir } from 'node:os';
import { existsSync, statfsSync } from 'node:fs';

const MEMORY = '/dev/shm';
/** How many such disks there may be at the same time, more or less. */
const DISK_COUNT = 8;

/**
 * Where the image of a disk of a test is best kept: in memory if there is plenty, where it waits for nobody. On the disk
 * of the host, which others write to as well, a flush took half a minute.
 * @param bytes size of the disk
 */
export function imageDirectory(bytes: number): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return Math.min(bavail * bsize, freemem()) >= DISK_COUNT * bytes ? MEMORY : tmpdir();
}
