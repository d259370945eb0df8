import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { LabFailure } from './lab-failure.js';

/** How QEMU treats writes to a disk (-drive cache=). With "unsafe" a flush does nothing. */
export const CACHE_MODES = ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'] as const;
export type CacheMode = (typeof CACHE_MODES)[number];

/** A disk of the machine: a sparse file of this host. */
export interface Disk {
  readonly file: string;
  readonly bytes: number;
  readonly cache: CacheMode;
}

/**
 * Makes the file if it is not there; one that is there stays as it is, with its size.
 * @throws LabFailure if it cannot be made
 */
export function makeDisk({ file, bytes }: Disk): void {
  if (existsSync(file)) return;
  try {
    writeFileSync(file, '');
    truncateSync(file, bytes);
  } catch (cause) {
    throw new LabFailure(`the disk cannot be made: ${(cause as Error).message}`, { cause });
  }
}
