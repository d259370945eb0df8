import { spawnSync } from 'node:child_process';

/** Loads what a kernel without udev loads only by name. Does nothing where the kernel has no modules. */
export function loadThinPools(): void {
  spawnSync('modprobe', ['--all', 'dm_thin_pool', 'ext4', 'xfs', 'loop']);
}

/** Small enough for a machine in memory. */
export const SMALL_POOL = ['--dm-base-size', '512MiB', '--dm-data-size', '4GiB'];
