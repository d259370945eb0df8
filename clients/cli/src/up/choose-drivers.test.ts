import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, tempDir } from '@teu/testing';
import { expect, test } from 'vitest';
import { driverKinds, parseDriverKinds, type DriverKind } from '../driver-kinds.js';
import { chooseDrivers, isFatal, type DriverChoice } from './choose-drivers.js';
import { nodeCommand } from './node-process.js';

/** What is chosen for a data directory in which drivers have left something. */
async function chosen(used: readonly string[], asked?: readonly DriverKind[]) {
  using directory = tempDir();
  for (const name of used) {
    mkdirSync(join(directory.path, name));
    writeFileSync(join(directory.path, name, 'state.db'), '');
  }
  const directories = { runDir: join(directory.path, 'run'), dataDir: directory.path };
  const choice = await chooseDrivers(directories, process.env, asked);
  expect(readdirSync(directory.path).sort()).toEqual([...used].sort());
  return choice;
}

test('what was used before runs again', async () => {
  expect(await chosen(['vfs'])).toEqual({ drivers: ['vfs'], asked: [], why: 'used before' });
  expect((await chosen(['vfs', 'overlay2', 'engine'])).drivers).toEqual(['overlay2', 'vfs']);
});

test('what is asked for comes first, and what was used before runs on beside it', async () => {
  expect(await chosen(['overlay2'], ['vfs'])).toEqual({
    drivers: ['vfs', 'overlay2'],
    asked: ['vfs'],
    why: 'asked for; overlay2: used before',
  });
  expect(await chosen(['vfs'], ['vfs', 'overlay2'])).toMatchObject({
    drivers: ['vfs', 'overlay2'],
    why: 'asked for',
  });
});

test('without either the drivers are asked which works', async () => {
  const { drivers, why } = await chosen([]);
  expect(drivers).toHaveLength(1);
  expect(why).toBe('works here');
});

test('the kinds of driver are those of the service, in its order', async () => {
  using directory = tempDir();
  const { program, args } = nodeCommand('services/storage-driver/dist/main.mjs');
  const flags = ['--probe', 'all', '--data-dir', directory.path];
  const { code, stdout } = await runProgram(program, [...args, ...flags]);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const kinds = lines.map((line) => (JSON.parse(line) as { driver: string }).driver);
  expect(kinds).toEqual(driverKinds);
  expect(readdirSync(directory.path)).toEqual([]);
});

test('drivers are divided by commas, and one that is not there is refused', () => {
  expect(parseDriverKinds('vfs, overlay2,vfs')).toEqual(['vfs', 'overlay2']);
  expect(() => parseDriverKinds('')).toThrow('there is no storage driver ""');
  expect(() => parseDriverKinds('overlay')).toThrow('there is no storage driver "overlay"');
});

test('the engine comes up without a driver that nobody asked for, and not without others', () => {
  const choice: DriverChoice = { drivers: ['vfs', 'overlay2'], asked: ['vfs'], why: '' };
  expect(isFatal([], choice)).toBe(false);
  expect(isFatal(['overlay2'], choice)).toBe(false);
  expect(isFatal(['vfs'], choice)).toBe(true);
  expect(isFatal(['overlay2', 'image'], choice)).toBe(true);
  expect(isFatal(['vfs'], { drivers: ['vfs'], asked: [], why: '' })).toBe(true);
});
