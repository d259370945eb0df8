import { teuError } from '@teu/errors';
import { afterEach, expect, it, vi } from 'vitest';
import { attemptEach, PendingRemovals } from './pending-removals.js';

// One attempt each: how long to be patient is another matter.
vi.mock('./patience.js', () => ({
  tryPatiently: async (attempt: () => Promise<unknown>) => (await attempt()) === true,
}));

afterEach(() => vi.useRealTimers());

it('removes what it can, says what is in use, and tries that again until it is gone', async () => {
  vi.useFakeTimers();
  const busy = new Set([2]);
  const removals = new PendingRemovals((ids) => attemptEach(ids, async (id) => !busy.has(id)));
  for (const id of [1, 2, 3]) removals.add(id);
  await expect(removals.run()).rejects.toMatchObject({ reason: 'CONFLICT' });
  expect(removals.ids()).toEqual([2]);
  busy.clear();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(removals.ids()).toEqual([]);
});

it('does not wait for what has failed, and tells the failure', async () => {
  const attempts: number[] = [];
  const removals = new PendingRemovals((ids) =>
    attemptEach(ids, async (id) => {
      attempts.push(id);
      if (id === 1) throw teuError('STORAGE_FAILED', 'the disk is broken');
      return true;
    }),
  );
  removals.add(1);
  removals.add(2);
  await expect(removals.run()).rejects.toMatchObject({ reason: 'STORAGE_FAILED' });
  expect(removals.has(1)).toBe(true);
  expect(removals.has(2)).toBe(false);
  await expect(removals.remove(1)).rejects.toMatchObject({ reason: 'STORAGE_FAILED' });
  expect(attempts).toEqual([1, 2, 1]);
  removals.close();
});

it('tries nothing again after it was closed', async () => {
  vi.useFakeTimers();
  const attempt = vi.fn((ids: readonly number[]) => attemptEach(ids, async () => false));
  const removals = new PendingRemovals(attempt);
  removals.add(7);
  await expect(removals.run()).rejects.toMatchObject({ reason: 'CONFLICT' });
  removals.close();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(attempt).toHaveBeenCalledTimes(1);
});
