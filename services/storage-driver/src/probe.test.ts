import { teuError } from '@teu/errors';
import { tempDir } from '@teu/testing';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HostCheck } from './drivers/host-checks.js';
import { DRIVER_NAMES } from './drivers/index.js';
import { probeDrivers } from './probe.js';

const works: HostCheck = async (root) => {
  expect(existsSync(root)).toBe(true);
};
const refuses: HostCheck = async () => {
  throw teuError('DRIVER_UNSUPPORTED', 'not here');
};

test('drivers are asked in turn, until one works if that is enough', async () => {
  using directory = tempDir();
  const dataDir = join(directory.path, 'deep/data');
  const checks = { one: refuses, two: works, three: works };
  const first = await Array.fromAsync(probeDrivers(dataDir, 'first', checks));
  expect(first).toEqual([
    { driver: 'one', works: false, reason: 'not here' },
    { driver: 'two', works: true, reason: '' },
  ]);
  const all = await Array.fromAsync(probeDrivers(dataDir, 'all', checks));
  expect(all.map(({ driver }) => driver)).toEqual(['one', 'two', 'three']);
  expect(readdirSync(directory.path)).toEqual([]);
});

test('what is there already is left alone', async () => {
  using directory = tempDir();
  mkdirSync(join(directory.path, 'one'));
  writeFileSync(join(directory.path, 'one/state.db'), '');
  await Array.fromAsync(probeDrivers(directory.path, 'all', { one: works, two: refuses }));
  expect(readdirSync(directory.path)).toEqual(['one']);
  expect(readdirSync(join(directory.path, 'one'))).toEqual(['state.db']);
});

test('a mistake in a check is no answer', async () => {
  using directory = tempDir();
  const broken: HostCheck = () => Promise.reject(new TypeError('oops'));
  const probe = Array.fromAsync(probeDrivers(directory.path, 'all', { one: broken }));
  await expect(probe).rejects.toThrow('oops');
  expect(readdirSync(directory.path)).toEqual([]);
});

test('the drivers of this service leave nothing behind when they are asked', async () => {
  using directory = tempDir();
  const all = await Array.fromAsync(probeDrivers(directory.path, 'all'));
  expect(all.map(({ driver }) => driver)).toEqual([
    'overlay2',
    'btrfs',
    'zfs',
    'devicemapper',
    'aufs',
    'vfs',
  ]);
  expect(all.map(({ driver }) => driver).sort()).toEqual([...DRIVER_NAMES].sort());
  for (const { works: fit, reason } of all) expect(reason === '').toBe(fit);
  expect(readdirSync(directory.path)).toEqual([]);
});
