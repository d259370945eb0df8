import { describe, expect, it } from 'vitest';
import {
  cpuStatsV1,
  cpuStatsV2,
  ioStatsV1,
  ioStatsV2,
  memoryStatsV1,
  memoryStatsV2,
  pidsStats,
  type ReadFile,
} from './stats.js';

const files =
  (contents: Record<string, string>): ReadFile =>
  (name) =>
    contents[name];

describe('figures of version 1', () => {
  it('reads cpu time in nanoseconds', () => {
    const read = files({
      'cpuacct.usage': '12345678901\n',
      'cpuacct.usage_user': '12000000000\n',
      'cpuacct.usage_sys': '345678901\n',
      'cpu.stat': 'nr_periods 20\nnr_throttled 4\nthrottled_time 1500000000\n',
    });
    expect(cpuStatsV1(read)).toEqual({
      usageDuration: { seconds: 12, nanos: 345_678_901 },
      userDuration: { seconds: 12, nanos: 0 },
      systemDuration: { seconds: 0, nanos: 345_678_901 },
      throttledPeriodCount: 4,
      throttledDuration: { seconds: 1, nanos: 500_000_000 },
    });
  });

  it('reads memory with what is below', () => {
    const read = files({
      'memory.usage_in_bytes': '1000000\n',
      'memory.max_usage_in_bytes': '2000000\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.failcnt': '3\n',
      'memory.memsw.failcnt': '2\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      'memory.stat': 'cache 1\ntotal_cache 500\ntotal_swap 7\ntotal_inactive_file 400000\n',
    });
    expect(memoryStatsV1(read)).toEqual({
      usageBytes: 1_000_000,
      workingSetBytes: 600_000,
      cacheBytes: 500,
      peakBytes: 2_000_000,
      swapBytes: 7,
      limitBytes: -1,
      limitHitCount: 5,
      oomKillCount: 2,
    });
  });

  it('adds up devices, groups below included where the kernel says so', () => {
    const read = files({
      'blkio.throttle.io_service_bytes': '8:0 Read 1\nTotal 1\n',
      'blkio.throttle.io_service_bytes_recursive':
        '8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 0\n8:0 Total 12288\n254:0 Read 100\n254:0 Write 0\nTotal 12388\n',
      'blkio.throttle.io_serviced': '8:0 Read 3\n8:0 Write 4\n8:0 Total 7\nTotal 7\n',
    });
    expect(ioStatsV1(read)).toEqual({
      readBytes: 4196,
      writeBytes: 8192,
      readCount: 3,
      writeCount: 4,
    });
  });
});

describe('figures of version 2', () => {
  it('reads cpu time in microseconds', () => {
    const stat =
      'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnr_periods 9\nnr_throttled 1\nthrottled_usec 1001\n';
    expect(cpuStatsV2(files({ 'cpu.stat': stat }))).toEqual({
      usageDuration: { seconds: 2, nanos: 500_000_000 },
      userDuration: { seconds: 2, nanos: 0 },
      systemDuration: { seconds: 0, nanos: 500_000_000 },
      throttledPeriodCount: 1,
      throttledDuration: { seconds: 0, nanos: 1_001_000 },
    });
  });

  it('reads memory and its events', () => {
    const read = files({
      'memory.current': '1000\n',
      'memory.peak': '3000\n',
      'memory.swap.current': '5\n',
      'memory.max': '4096\n',
      'memory.stat': 'anon 10\nfile 600\ninactive_file 400\n',
      'memory.events': 'low 0\nhigh 0\nmax 6\noom 2\noom_kill 1\noom_group_kill 0\n',
    });
    expect(memoryStatsV2(read)).toEqual({
      usageBytes: 1000,
      workingSetBytes: 600,
      cacheBytes: 600,
      peakBytes: 3000,
      swapBytes: 5,
      limitBytes: 4096,
      limitHitCount: 6,
      oomKillCount: 1,
    });
  });

  it('adds up devices', () => {
    const stat =
      '8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=5 dios=1\n254:1 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n';
    expect(ioStatsV2(files({ 'io.stat': stat }))).toEqual({
      readBytes: 11,
      writeBytes: 22,
      readCount: 4,
      writeCount: 6,
    });
  });
});

it('reads tasks on both versions, without events on old kernels', () => {
  const read = files({ 'pids.current': '4\n', 'pids.max': 'max\n' });
  expect(pidsStats(read)).toEqual({ currentCount: 4, limitCount: -1, limitHitCount: 0 });
  const limited = files({ 'pids.current': '4\n', 'pids.max': '5\n', 'pids.events': 'max 2\n' });
  expect(pidsStats(limited)).toEqual({ currentCount: 4, limitCount: 5, limitHitCount: 2 });
});
