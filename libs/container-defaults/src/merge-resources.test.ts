import { LinuxResources } from '@teu/proto/type';
import { expect, it } from 'vitest';
import { hasResources, mergeResources } from './merge-resources.js';

const limits = (wanted: Parameters<typeof LinuxResources.fromPartial>[0]) =>
  LinuxResources.fromPartial(wanted);

it('changes what is set and nothing else', () => {
  const before = limits({
    cpu: { shares: 5, cpus: '0' },
    pids: { limit: 7 },
    blockIo: { weight: 20, throttleReadBpsDevices: [{ path: '/dev/a', rate: 1 }] },
    hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
    unified: { a: '1', b: '2' },
  });
  const change = limits({
    cpu: { quota: -1, mems: '1' },
    memory: { limit: 9 },
    blockIo: { throttleReadBpsDevices: [{ path: '/dev/b', rate: 2 }] },
    hugepageLimits: [{ pageSize: '1GB', limit: 2 }],
    unified: { b: '3' },
  });
  expect(mergeResources(before, change)).toEqual(
    limits({
      cpu: { shares: 5, quota: -1, cpus: '0', mems: '1' },
      memory: { limit: 9 },
      pids: { limit: 7 },
      blockIo: { weight: 20, throttleReadBpsDevices: [{ path: '/dev/b', rate: 2 }] },
      hugepageLimits: [{ pageSize: '1GB', limit: 2 }],
      unified: { a: '1', b: '3' },
    }),
  );
  expect(mergeResources(before, limits({}))).toEqual(before);
  expect(mergeResources(undefined, change)).toEqual(change);
});

it('sees whether anything is asked for', () => {
  expect(hasResources(undefined)).toBe(false);
  expect(hasResources(limits({}))).toBe(false);
  expect(hasResources(limits({ pids: { limit: 1 } }))).toBe(true);
  expect(hasResources(limits({ unified: { 'memory.oom.group': '1' } }))).toBe(true);
  const rule = { allow: true, type: 'c', access: 'r' };
  expect(hasResources(limits({ devices: [rule] }))).toBe(true);
});
