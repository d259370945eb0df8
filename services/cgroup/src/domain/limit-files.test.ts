import { describe, expect, it } from 'vitest';
import { sharesOfWeight, V2_LIMIT_FILES, weightOfShares } from './limit-files.js';
import { NO_LIMITS, type Limits } from './limits.js';

describe('conversion of cpu shares to weights', () => {
  it.each([
    [2, 1],
    [1024, 100],
    [262_144, 10_000],
    [512, 59],
    [2048, 174],
  ])('maps %i shares to weight %i', (shares, weight) => {
    expect(weightOfShares(shares)).toBe(weight);
  });

  it('comes back to the same weight, or to the nearest below that shares can say', () => {
    expect(sharesOfWeight(100)).toBe(1024);
    for (let weight = 1; weight <= 10_000; weight += 1) {
      const back = weightOfShares(sharesOfWeight(weight));
      expect(back).toBeLessThanOrEqual(weight);
      expect(weight - back).toBeLessThanOrEqual(Math.max(2, weight * 0.01));
    }
  });

  it('never gives more shares less weight', () => {
    for (let shares = 3; shares < 4096; shares += 1) {
      expect(weightOfShares(shares)).toBeGreaterThanOrEqual(weightOfShares(shares - 1));
    }
  });
});

describe('limit files of version 2', () => {
  const format = (limits: Partial<Limits>): Record<string, string> =>
    Object.fromEntries(
      V2_LIMIT_FILES.map((file) => [file.file, file.format({ ...NO_LIMITS, ...limits })]),
    );

  it('says "max" for what is not limited', () => {
    expect(format({})).toEqual({
      'cpu.weight': '100',
      'cpu.max': 'max 100000',
      'memory.max': 'max',
      'memory.swap.max': 'max',
      'memory.low': '0',
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

  it('reads back what it writes', () => {
    const wanted: Limits = {
      cpuShares: 512,
      cpuQuota: 25_000,
      cpuPeriod: 50_000,
      memory: 1 << 26,
      memoryReservation: 1 << 25,
      memorySwap: 1 << 27,
      pids: 12,
    };
    let read = NO_LIMITS;
    for (const file of V2_LIMIT_FILES) {
      read = { ...read, ...file.parse(`${file.format(wanted)}\n`, read) };
    }
    expect({ ...read, cpuShares: weightOfShares(read.cpuShares) }).toEqual({
      ...wanted,
      cpuShares: weightOfShares(wanted.cpuShares),
    });
  });
});
