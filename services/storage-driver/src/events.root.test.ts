import { connectEvents, consumeEvents } from '@teu/events';
import { silentLogger } from '@teu/log';
import { SnapshotAction, type Event } from '@teu/proto/event';
import { startNats, tempDir, waitFor } from '@teu/testing';
import { expect, it } from 'vitest';
import { startDriver } from './testing/start-driver.js';

it('announces committed layers and their removal, also what happened while NATS was away', async () => {
  using directory = tempDir();
  const nats = await startNats({ running: false });
  const driver = await startDriver(directory.path, [
    ...['--nats-url', nats.url],
    ...['--nats-seed-file', nats.seedFile('storage')],
  ]);
  const { snapshots } = driver;
  await snapshots.prepare('a');
  await snapshots.commit('base', 'a');
  await snapshots.prepare('container/1', 'base');
  await snapshots.remove('container/1');
  await nats.start();

  const seed = nats.seedFile('engine');
  const address = { url: nats.url, service: 'engine', nkeySeedFile: seed };
  const events = connectEvents({ ...address, ownsStream: true, log: silentLogger });
  const received: Event[] = [];
  const consumer = consumeEvents({
    events,
    log: silentLogger,
    handle: ({ event }) => void received.push(event),
  });
  await snapshots.prepare('b', 'base');
  await snapshots.commit('top', 'b');
  await snapshots.remove('top');
  await waitFor(() => received.length >= 3);

  const facts = received.map(({ payload, source, sourceSequence }) => {
    if (payload?.$case !== 'snapshot') throw new Error('not about a snapshot');
    const { action, driver: name, key, parent } = payload.value;
    return [source, sourceSequence, action, name, key, parent];
  });
  const source = 'storage/overlay2';
  const { SNAPSHOT_ACTION_COMMITTED: committed, SNAPSHOT_ACTION_REMOVED: removed } = SnapshotAction;
  expect(facts).toEqual([
    [source, 1, committed, 'overlay2', 'base', ''],
    [source, 2, committed, 'overlay2', 'top', 'base'],
    [source, 3, removed, 'overlay2', 'top', 'base'],
  ]);
  await consumer.close();
  await events.close();
  await driver.close();
  await nats.stop();
});
