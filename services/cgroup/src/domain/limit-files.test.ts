import { describe, expect, it } from 'vitest';
import { V1_LIMIT_FILES, V2_LIMIT_FILES, type LimitFile } from './limit-files.js';
import { NO_LIMITS, type Limits } from './limits.js';
import { weightOfShares } from './weights.js';

describe('limit files of version 2', () => {
  const format = (limits: Partial<Limits>): Record<string, string> =>
    Object.fromEntries(
      V2_LIMIT_FILES.filter(({ chosen }) => chosen !== true).map((file) => [
        file.file,
        file.format({ ...NO_LIMITS, ...limits }),
      ]),
    );

  it('says "max" for what is not limited', () => {
    expect(format({})).toEqual({
      'cpu.weight': '100',
      'cpu.max': 'max 100000',
      'cpu.max.burst': '0',
      'memory.max': 'max',
      'memory.swap.max': 'max',
      'memory.low': '0',
      'memory.high': 'max',
      'pids.max': 'max',
    });
  });

  it('takes memory out of memory plus swap', () => {
    expect(format({ memory: 4096 * 10, memorySwap: 4096 * 15 })).toMatchObject({
      'memory.max': '40960',
      'memory.swap.max': '20480',
    });
    expect(format({ memory: 4096, memorySwap: 4096 })).toMatchObject({ 'memory.swap.max': '0' });
  });
});

const WANTED: Limits = {
  cpuShares: 512,
  cpuQuota: 25_000,
  cpuPeriod: 50_000,
  cpuBurst: 10_000,
  memory: 1 << 26,
  memoryReservation: 1 << 25,
  memorySwap: 1 << 27,
  memoryHigh: 1 << 25,
  swappiness: 10,
  oomKillerOff: 1,
  blockIoWeight: 321,
  pids: 12,
};

it.each<[string, readonly LimitFile[], Partial<Limits>]>([
  ['1', V1_LIMIT_FILES, { memoryHigh: -1 }],
  ['2', V2_LIMIT_FILES, { swappiness: -1, oomKillerOff: 0 }],
])('limit files of version %s are read back as they are written', (_, files, missing) => {
  let read = NO_LIMITS;
  for (const file of files) {
    read = { ...read, ...file.parse(`${file.format(WANTED)}\n`, read) };
  }
  expect({ ...read, cpuShares: weightOfShares(read.cpuShares) }).toEqual({
    ...WANTED,
    ...missing,
    cpuShares: weightOfShares(WANTED.cpuShares),
  });
});

it.each([
  ['memory.oom_control', 'oom_kill_disable 1\nunder_oom 0\noom_kill 3\n', { oomKillerOff: 1 }],
  ['blkio.bfq.weight', '250\n', { blockIoWeight: 250 }],
  ['io.bfq.weight', 'default 250\n254:0 300\n', { blockIoWeight: 250 }],
  ['io.weight', 'default 10000\n', { blockIoWeight: 1000 }],
])('the text of %s is understood', (name, text, limits) => {
  const file = [...V1_LIMIT_FILES, ...V2_LIMIT_FILES].find((each) => each.file === name)!;
  expect(file.parse(text, {})).toEqual(limits);
});
