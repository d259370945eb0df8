import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { runProgram, tempDir } from '@teu/testing';
import { afterAll, beforeAll } from 'vitest';
import { describeBaseUpgrades } from './describe-base-upgrade.js';
import type { DriverPlace } from './driver-places.js';

// Images of a whole Debian are too much for a machine in memory; its disk takes them.
const mountPoint = mkdtempSync('/run/disk-');
const memory = process.env['TMPDIR'];

// Before it is asked whether the kernel has them.
spawnSync('modprobe', ['--all', 'dm_thin_pool', 'loop', 'ext4', 'overlay']);

beforeAll(async () => {
  await succeed('mkfs.ext4', '-q', '-F', '/dev/vda');
  await succeed('mount', '/dev/vda', mountPoint);
  process.env['TMPDIR'] = mountPoint;
});
afterAll(async () => {
  process.env['TMPDIR'] = memory;
  await succeed('umount', mountPoint);
  rmSync(mountPoint, { recursive: true });
});

async function poolPlace(): Promise<DriverPlace> {
  const directory = tempDir();
  const sizes = ['--dm-base-size', '1GiB', '--dm-data-size', '6GiB'];
  const root = join(directory.path, 'tree');
  return { options: ['--root', root, '--', ...sizes], remove: () => directory.remove() };
}

describeBaseUpgrades([
  {
    ...{ kind: 'devicemapper', isLive: false, hasQuota: true },
    ...{ needs: ['root', 'device_mapper', 'loop'], makePlace: poolPlace },
  },
]);

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
