import { describe, expect, it } from 'vitest';
import { figureFiles } from '../testing/figure-files.js';
import {
  cpuStatsV1,
  cpuStatsV2,
  cpuUsageV1,
  cpuUsageV2,
  memoryStatsV1,
  memoryStatsV2,
  pidsStatsV1,
  pidsStatsV2,
} from './stats.js';

describe('figures of version 1', () => {
  it('has cpu time in nanoseconds, from two controllers', () => {
    const cpuacct = figureFiles({
      'cpuacct.usage': '12345678901\n',
      'cpuacct.usage_user': '12000000000\n',
      'cpuacct.usage_sys': '345678901\n',
    });
    const cpu = figureFiles({
      'cpu.stat':
        'nr_periods 20\nnr_throttled 4\nthrottled_time 1500000000\nnr_bursts 7\nburst_time 8\n',
    });
    expect(cpuStatsV1(cpuacct, cpu)).toEqual({
      usageDuration: { seconds: 12, nanos: 345_678_901 },
      userDuration: { seconds: 12, nanos: 0 },
      systemDuration: { seconds: 0, nanos: 345_678_901 },
      periodCount: 20,
      throttledPeriodCount: 4,
      throttledDuration: { seconds: 1, nanos: 500_000_000 },
    });
    expect(cpuUsageV1(cpuacct)).toEqual({ seconds: 12, nanos: 345_678_901 });
  });

  it('has memory with what is below', () => {
    const files = figureFiles({
      'memory.usage_in_bytes': '1000000\n',
      'memory.max_usage_in_bytes': '2000000\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.failcnt': '3\n',
      'memory.memsw.failcnt': '2\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      'memory.stat':
        'cache 1\nhierarchical_memory_limit 8388608\nrss 2\nswap 3\ninactive_file 4\ntotal_cache 500\ntotal_rss 300000\ntotal_rss_huge 9\n' +
        'total_swap 7\ntotal_swapcached 8\ntotal_inactive_anon 5\ntotal_inactive_file 400000\ntotal_active_file 6\n',
    });
    expect(memoryStatsV1(files)).toEqual({
      usageBytes: 1_000_000,
      workingSetBytes: 600_000,
      cacheBytes: 500,
      peakBytes: 2_000_000,
      swapBytes: 7,
      limitBytes: -1,
      limitHitCount: 5,
      oomKillCount: 2,
      anonymousBytes: 300_000,
      highHitCount: 0,
      effectiveLimitBytes: 8_388_608,
    });
  });

  it('counts a kill as a hit of the limit, which recent kernels do not', () => {
    const files = figureFiles({
      'memory.limit_in_bytes': '4096\n',
      'memory.failcnt': '0\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    });
    const { limitBytes, limitHitCount, usageBytes } = memoryStatsV1(files);
    expect([limitBytes, limitHitCount, usageBytes]).toEqual([4096, 2, 0]);
  });
});

describe('figures of version 2', () => {
  it('has cpu time in microseconds', () => {
    const files = figureFiles({
      'cpu.stat':
        'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\nnice_usec 0\ncore_sched.force_idle_usec 0\n' +
        'nr_periods 9\nnr_throttled 1\nthrottled_usec 1001\nnr_bursts 0\nburst_usec 0\n',
    });
    expect(cpuStatsV2(files)).toEqual({
      usageDuration: { seconds: 2, nanos: 500_000_000 },
      userDuration: { seconds: 2, nanos: 0 },
      systemDuration: { seconds: 0, nanos: 500_000_000 },
      periodCount: 9,
      throttledPeriodCount: 1,
      throttledDuration: { seconds: 0, nanos: 1_001_000 },
    });
    expect(cpuUsageV2(files)).toEqual({ seconds: 2, nanos: 500_000_000 });
  });

  it('has memory and its events', () => {
    const files = figureFiles(
      {
        'memory.current': '1000\n',
        'memory.peak': '3000\n',
        'memory.swap.current': '5\n',
        'memory.max': '4096\n',
        'memory.stat':
          'anon 10\nfile 600\nkernel 4096\nfile_mapped 1\nanon_thp 2\ninactive_anon 3\ninactive_file 400\n',
        'memory.events': 'low 0\nhigh 8\nmax 6\noom 2\noom_kill 1\noom_group_kill 0\n',
      },
      { 'memory.max': 2048 },
    );
    expect(memoryStatsV2(files)).toEqual({
      usageBytes: 1000,
      workingSetBytes: 600,
      cacheBytes: 600,
      peakBytes: 3000,
      swapBytes: 5,
      limitBytes: 4096,
      limitHitCount: 6,
      oomKillCount: 1,
      anonymousBytes: 10,
      highHitCount: 8,
      effectiveLimitBytes: 2048,
    });
  });
});

it('tells of tasks on both versions, without events on old kernels', () => {
  const old = figureFiles({ 'pids.current': '4\n', 'pids.max': 'max\n' });
  expect(pidsStatsV1(old)).toEqual({
    currentCount: 4,
    limitCount: -1,
    limitHitCount: 0,
    peakCount: 0,
    effectiveLimitCount: -1,
  });
  const limited = figureFiles(
    {
      'pids.current': '4\n',
      'pids.max': '5\n',
      'pids.events': 'max 2\n',
      'pids.peak': '5\n',
    },
    { 'pids.max': 9 },
  );
  expect(pidsStatsV1(limited)).toEqual({
    currentCount: 4,
    limitCount: 5,
    limitHitCount: 2,
    peakCount: 5,
    effectiveLimitCount: 5,
  });
});

it('has the forks that failed at its own limit, where pids.events counts those of groups below too', () => {
  const files = { 'pids.current': '4\n', 'pids.max': '5\n', 'pids.events': 'max 9\n' };
  expect(pidsStatsV2(figureFiles(files)).limitHitCount).toBe(9);
  const local = { ...files, 'pids.events.local': 'max 2\n' };
  expect(pidsStatsV2(figureFiles(local)).limitHitCount).toBe(2);
});
