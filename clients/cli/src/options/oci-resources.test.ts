import { LinuxResources } from '@teu/proto/type';
import { describe, expect, it } from 'vitest';
import { resourcesOfOci } from './oci-resources.js';

const mapped = (wanted: Parameters<typeof LinuxResources.fromPartial>[0]) =>
  LinuxResources.fromPartial(wanted);

// The examples of config-linux.md, one for each part.
describe('the examples of the OCI runtime specification', () => {
  it('devices: what denies everything first is what the list begins with', () => {
    const devices = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
    ];
    expect(resourcesOfOci({ devices })).toEqual(
      mapped({
        devices: [
          { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
          { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
        ],
      }),
    );
  });

  it('memory', () => {
    const memory = {
      limit: 536_870_912,
      reservation: 536_870_912,
      swap: 536_870_912,
      kernel: -1,
      kernelTCP: -1,
      swappiness: 0,
      disableOOMKiller: false,
    };
    expect(resourcesOfOci({ memory }).memory).toEqual({
      limit: 536_870_912,
      reservation: 536_870_912,
      swap: 536_870_912,
      swappiness: 0,
      disableOomKiller: false,
    });
  });

  it('cpu, without what is real-time', () => {
    const cpu = { shares: 1024, quota: 1_000_000, burst: 1_000_000, period: 500_000 };
    const sets = { cpus: '2-3', mems: '0-7' };
    expect(resourcesOfOci({ cpu: { ...cpu, ...sets, idle: 0 } }).cpu).toEqual({ ...cpu, ...sets });
    const realtime = { realtimeRuntime: 950_000, realtimePeriod: 1_000_000 };
    expect(() => resourcesOfOci({ cpu: { ...cpu, ...realtime } })).toThrow(
      'resources.cpu.realtimeRuntime is not something that TEU can limit',
    );
  });

  it('blockIO, without weights of leaves', () => {
    const blockIO = {
      weight: 10,
      weightDevice: [
        { major: 8, minor: 0, weight: 500 },
        { major: 8, minor: 16, weight: 500 },
      ],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 600 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 300 }],
    };
    expect(resourcesOfOci({ blockIO })).toEqual(
      mapped({
        blockIo: {
          weight: 10,
          weightDevices: [
            { major: 8, minor: 0, weight: 500 },
            { major: 8, minor: 16, weight: 500 },
          ],
          throttleReadBpsDevices: [{ major: 8, minor: 0, rate: 600 }],
          throttleWriteIopsDevices: [{ major: 8, minor: 16, rate: 300 }],
        },
      }),
    );
    expect(() => resourcesOfOci({ blockIO: { ...blockIO, leafWeight: 10 } })).toThrow('leafWeight');
  });

  it('hugepageLimits, pids and unified', () => {
    const hugepageLimits = [
      { pageSize: '2MB', limit: 209_715_200 },
      { pageSize: '64KB', limit: 1_000_000 },
    ];
    const unified = { 'hugetlb.1GB.max': '1073741824', 'cgroup.max.depth': '10' };
    expect(resourcesOfOci({ hugepageLimits, pids: { limit: 32_771 }, unified })).toEqual(
      mapped({ hugepageLimits, pids: { limit: 32_771 }, unified }),
    );
  });

  it.each([
    ['network', { network: { classID: 1_048_577, priorities: [{ name: 'eth0', priority: 500 }] } }],
    ['rdma', { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 } } }],
  ])('%s is refused by name', (name, block) => {
    expect(() => resourcesOfOci(block)).toThrow(`resources.${name} is not something`);
  });
});

describe('a block that is wrong', () => {
  it.each([
    [[], 'resources must be an object'],
    [{ cpus: '0' }, 'resources.cpus is not a field'],
    [{ memory: { limits: 1 } }, 'resources.memory.limits is not a field'],
    [{ memory: { limit: '64m' } }, 'resources.memory.limit must be a whole number'],
    [{ memory: { kernel: 4096 } }, 'resources.memory.kernel is 4096'],
    [{ cpu: { shares: 1.5 } }, 'resources.cpu.shares must be a whole number'],
    [{ devices: [{ allow: 'yes' }] }, 'resources.devices[0].allow must be true or false'],
    [{ blockIO: { weightDevice: [{ major: 8 }] } }, 'resources.blockIO.weightDevice[0].minor'],
    [{ unified: { 'pids.max': 5 } }, 'resources.unified.pids.max must be a string'],
  ])('%j', (block, message) => {
    expect(() => resourcesOfOci(block)).toThrow(message);
  });
});
