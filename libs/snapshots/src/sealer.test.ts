import { silentLogger } from '@teu/log';
import { afterEach, expect, it, vi } from 'vitest';
import { Sealer, type SealerParts } from './sealer.js';

afterEach(() => vi.useRealTimers());

it('looks again for what was committed in the moment in which a run ends', async () => {
  vi.useFakeTimers();
  let looks = 0;
  const records = {
    nextUnsealed: () => {
      looks += 1;
      // After the run has found that nobody asks any more, and before it counts as over.
      if (looks === 1) queueMicrotask(() => sealer.schedule());
      return undefined;
    },
  };
  const sealer = new Sealer({ records, log: silentLogger } as unknown as SealerParts);
  sealer.schedule();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toBe(2);
  sealer.close();
});
