import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { maskedPathsFor } from './hidden-paths.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-cpu-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it('masks thermal_throttle of the possible processors that have it', () => {
  writeFileSync(join(directory, 'possible'), '0-1,4\n');
  for (const cpu of ['cpu0', 'cpu4', 'cpu9']) {
    mkdirSync(join(directory, cpu, 'thermal_throttle'), { recursive: true });
  }
  const added = maskedPathsFor(directory).filter((path) => path.includes('thermal'));
  expect(added).toEqual([
    '/sys/devices/system/cpu/cpu0/thermal_throttle',
    '/sys/devices/system/cpu/cpu4/thermal_throttle',
  ]);
});

it('has its fixed list on a machine without a processor directory', () => {
  expect(maskedPathsFor(join(directory, 'absent'))).toContain('/proc/kcore');
});
