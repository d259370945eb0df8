import { describe, expect, it } from 'vitest';
import { overLayers } from './layer-stack.js';

const signal = new AbortController().signal;

describe('overLayers', () => {
  it('begins from the bottom up, so many at once, and gives the results in order', async () => {
    const begun: number[] = [];
    let running = 0;
    let most = 0;
    const results = await overLayers(
      [0, 1, 2, 3, 4],
      { limit: 2, signal },
      async (layer, place) => {
        begun.push(layer);
        most = Math.max(most, ++running);
        expect(place.below === undefined).toBe(layer === 0);
        await new Promise(setImmediate);
        await place.below?.ready;
        running -= 1;
        return layer * 10;
      },
    );
    expect([results, begun, most]).toEqual([[0, 10, 20, 30, 40], [0, 1, 2, 3, 4], 2]);
  });

  it('tells whether the layer below is there', async () => {
    await overLayers([0, 1], { limit: 2, signal }, async (layer, { below }) => {
      if (layer === 0) return;
      expect(below?.isReady).toBe(false);
      await below?.ready;
      await new Promise(setImmediate);
      expect(below?.isReady).toBe(true);
    });
  });

  it('ends with the first failure, after all others have ended, and begins no more', async () => {
    const error = new Error('bad layer');
    const ended: unknown[] = [];
    const work = overLayers([0, 1, 2, 3], { limit: 3, signal }, async (layer, place) => {
      if (layer === 1) throw error;
      await new Promise((resolve) => place.signal.addEventListener('abort', resolve));
      await new Promise(setImmediate);
      ended.push(layer);
      throw new Error('given up');
    });
    await expect(work).rejects.toBe(error);
    expect(ended).toEqual([0, 2]);
  });

  it('begins nothing for who has given up', async () => {
    const given = AbortSignal.abort(new Error('gone'));
    const work = overLayers([0], { limit: 1, signal: given }, () => expect.unreachable());
    await expect(work).rejects.toThrow('gone');
  });
});
