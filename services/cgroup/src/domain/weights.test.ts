import { describe, expect, it } from 'vitest';
import { blockIoWeightOf, ioWeightOf, sharesOfWeight, weightOfShares } from './weights.js';

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

describe('conversion of weights of block devices', () => {
  it.each([
    [10, 1],
    [100, 910],
    [1000, 10_000],
  ])('maps %i to %i', (weight, ioWeight) => {
    expect(ioWeightOf(weight)).toBe(ioWeight);
  });

  it('comes back to the same', () => {
    for (let weight = 10; weight <= 1000; weight += 1) {
      expect(blockIoWeightOf(ioWeightOf(weight))).toBe(weight);
    }
  });
});
