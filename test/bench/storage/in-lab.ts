import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { installRoot } from '@teu/config';
import { capture } from '../harness/process.js';
import { ownDriver } from './own-driver.js';
import type { Subject } from './subject.js';

/** An emulated processor is slow: what is measured often here is measured less often there. */
const LAB_OPTIONS = [
  '--only',
  'devicemapper',
  '--counts',
  '1,100',
  '--rounds',
  '10',
  '--no-upgrade',
];
const TIME_LIMIT_SECONDS = '3600';
/** The thin pool's files are sparse, and lie on the machine's empty disk. */
const POOL = ['--dm-base-size', '2GiB', '--dm-data-size', '20GiB'];
const DISK = '/dev/vda';

/** Whether this kernel has device-mapper. */
export const hasDeviceMapper = (): boolean => existsSync('/dev/mapper/control');

/** Measures devicemapper in a machine with Debian's kernel (test/lab). Its tables go to this standard output. */
export function measureInLab(): void {
  const program = join(installRoot(), 'dist/bench/storage.mjs');
  const options = ['--time-limit', TIME_LIMIT_SECONDS, '--memory', '4g', '--scratch', '24g'];
  const command = [process.execPath, program, ...LAB_OPTIONS];
  const args = [join(installRoot(), 'tools/lab.mjs'), ...options, ...command];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`the kernel lab ended with ${String(status)}`);
}

/** devicemapper with a pool in files, on the empty disk of the lab's machine. */
export async function deviceMapperSubject(directory: string): Promise<Subject> {
  capture('modprobe', ['--all', 'dm_thin_pool', 'loop', 'ext4']);
  if (!hasDeviceMapper() || !existsSync(DISK)) throw new Error('this is not the kernel lab');
  mkdirSync(directory, { recursive: true });
  capture('mkfs.ext4', ['-q', '-F', DISK]);
  capture('mount', [DISK, directory]);
  const filesystem = {
    path: directory,
    // Blocks that the pool's files have; the driver frees what it removes.
    usedBytes: () => {
      capture('sync', []);
      return Number(capture('df', ['--output=used', '-B1', directory]).trim().split('\n').at(-1));
    },
    close: () => void capture('umount', ['--recursive', directory]),
  };
  return ownDriver('devicemapper', filesystem, POOL);
}
