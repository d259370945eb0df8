import { silentLogger } from '@teu/log';
import { expect, it } from 'vitest';
import { Reclaimer } from './reclaimer.js';

it('looks again for who asks in the moment in which a run ends', async () => {
  const first = Promise.withResolvers<undefined>();
  let runs = 0;
  const reclaimer = new Reclaimer(() => {
    runs += 1;
    return runs === 1 ? first.promise : Promise.resolve();
  }, silentLogger);
  void reclaimer.finish();
  // After the run has found that nobody asks any more, and before it counts as over.
  const asked = first.promise.then(() => reclaimer.finish());
  first.resolve(undefined);
  await asked;
  expect(runs).toBe(2);
});
