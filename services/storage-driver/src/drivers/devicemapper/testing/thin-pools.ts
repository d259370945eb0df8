import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';

/** Has the kernel not wait for an idle moment before it frees what a device was (RCU). */
const EXPEDITED = '/sys/kernel/rcu_expedited';

/**
 * Loads what a kernel without udev loads only by name, and has it take devices away in a tenth of the
 * time that it takes on an emulated processor. For a machine that is there for the tests.
 */
export function loadThinPools(): void {
  spawnSync('modprobe', ['--all', 'dm_thin_pool', 'ext4', 'xfs', 'loop']);
  if (existsSync(EXPEDITED)) writeFileSync(EXPEDITED, '1');
}

/** Small enough for a machine in memory. */
export const SMALL_POOL = ['--dm-base-size', '512MiB', '--dm-data-size', '4GiB'];
