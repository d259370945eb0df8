import { expect, it } from 'vitest';
import { ImageWatchers } from './image-watchers.js';

it('holds a change up until every watcher has acknowledged it', async () => {
  const watchers = new ImageWatchers();
  const watches = [watchers.open(), watchers.open()];
  let answered = false;
  const announced = watchers.announce(['layer']).then(() => (answered = true));
  for (const watch of watches) {
    expect(answered).toBe(false);
    const { value } = await watch.changes().next();
    expect(value).toEqual({ number: 1, snapshots: ['layer'] });
    watch.acknowledge(1);
  }
  await announced;
});

it('goes on without one that has gone or is silent', async () => {
  const watchers = new ImageWatchers();
  const gone = watchers.open();
  const silent = watchers.open();
  const announced = watchers.announce();
  gone.close();
  await announced;
  const changes = await Array.fromAsync(silent.changes());
  expect(changes).toEqual([]);
  await watchers.announce();
});
