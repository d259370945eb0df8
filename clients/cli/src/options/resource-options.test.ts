import { expect, test } from 'vitest';
import { tempDir } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeContext } from '../testing/fake-context.js';
import { parseDeviceMapping } from './device-mapping.js';
import { parseOptions } from './parse-options.js';
import { checkNewLimits, resourceOptions, resourcesOf } from './resource-options.js';

const resources = (...words: string[]) =>
  resourcesOf({
    context: fakeContext({}).context,
    options: parseOptions(resourceOptions, words).options,
    args: [],
  });

test('what is not given is not asked for', async () => {
  expect(await resources()).toEqual({
    cpu: undefined,
    memory: undefined,
    pids: undefined,
    blockIo: undefined,
    devices: [],
    hugepageLimits: [],
    unified: {},
  });
});

test('docker’s words are understood', async () => {
  const given = await resources(
    ...['--cpus', '1.5', '--cpu-burst', '1000', '--cpuset-cpus', '0-1', '--memory-swappiness=0'],
    ...['--oom-kill-disable', '--blkio-weight-device', '/dev/sda:500', '--pids-limit=-1'],
    ...['--device-read-bps', '/dev/sda:1mb', '--device-write-iops=/dev/by:id:100'],
    ...['--device-cgroup-rule', 'c 10:* rw', '--hugetlb-limit', '2MB=64m'],
    ...['--cgroup-option', 'memory.oom.group=1'],
  );
  expect(given.cpu).toMatchObject({ quota: 150_000, period: 100_000, burst: 1000, cpus: '0-1' });
  expect(given.memory).toEqual({ swappiness: 0, disableOomKiller: true });
  expect(given.pids).toEqual({ limit: -1 });
  expect(given.blockIo).toMatchObject({
    weight: undefined,
    weightDevices: [{ path: '/dev/sda', weight: 500 }],
    throttleReadBpsDevices: [{ path: '/dev/sda', rate: 1 << 20 }],
    throttleWriteIopsDevices: [{ path: '/dev/by:id', rate: 100 }],
  });
  const rule = { allow: true, type: 'c', major: 10, minor: undefined, access: 'rw' };
  expect(given.devices).toEqual([rule]);
  expect(given.hugepageLimits).toEqual([{ pageSize: '2MB', limit: 64 << 20 }]);
  expect(given.unified).toEqual({ 'memory.oom.group': '1' });
  expect((await resources('--oom-kill-disable=false')).memory).toEqual({ disableOomKiller: false });
});

test('single options go over the block of a file', async () => {
  const directory = tempDir();
  const file = join(directory.path, 'r.json');
  writeFileSync(file, '{"memory":{"limit":4096,"swap":8192},"pids":{"limit":3}}');
  const both = await resources('--resources', file, '--memory', '8k');
  expect(both.memory).toEqual({ limit: 8192, swap: 8192 });
  expect(both.pids).toEqual({ limit: 3 });
  writeFileSync(file, '{"memory":');
  await expect(resources('--resources', file)).rejects.toThrow('can’t be read');
  directory.remove();
  await expect(resources('--resources', file)).rejects.toThrow('ENOENT');
});

test.each([
  [['--cpus', '1', '--cpu-quota', '1000'], '--cpus is a quota'],
  [['--cpu-period', '10'], '--cpu-period'],
  [['--blkio-weight', '5'], '--blkio-weight'],
  [['--device-read-bps', 'sda:1'], '--device-read-bps'],
  [['--device-read-iops', '/dev/sda:-1'], '--device-read-iops'],
  [['--device-cgroup-rule', 'x 1:3 rwm'], '--device-cgroup-rule'],
  [['--hugetlb-limit', '2MB'], '--hugetlb-limit'],
  [['--cgroup-option', 'memory.low'], '--cgroup-option'],
])('%j is refused', async (words, message) => {
  await expect(resources(...words)).rejects.toThrow(message);
});

test('limits of something new must fit together', async () => {
  const check = async (...words: string[]) => checkNewLimits(await resources(...words));
  await expect(check('--memory-swap', '1m')).rejects.toThrow('needs --memory');
  await expect(check('--memory-swap', '1m', '--memory', '2m')).rejects.toThrow('below --memory');
  await check('--memory-swap', '-1', '--memory', '2m');
});

test('a device of the host is mapped as docker does', () => {
  const node = { pathOnHost: '/dev/fuse' };
  const mapped: [string, object][] = [
    ['/dev/fuse', { ...node, pathInContainer: '', access: '' }],
    ['/dev/fuse:rw', { ...node, pathInContainer: '', access: 'rw' }],
    ['/dev/fuse:/dev/x', { ...node, pathInContainer: '/dev/x', access: '' }],
    ['/dev/fuse:/dev/x:r', { ...node, pathInContainer: '/dev/x', access: 'r' }],
  ];
  for (const [text, mapping] of mapped) expect(parseDeviceMapping(text), text).toEqual(mapping);
  for (const text of ['fuse', '/dev/fuse:x', '/dev/fuse:/dev/x:rx', '/dev/a:/b:r:w']) {
    expect(() => parseDeviceMapping(text), text).toThrow('--device');
  }
});
