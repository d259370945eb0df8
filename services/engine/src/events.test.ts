import { afterEach, beforeEach, expect, test } from 'vitest';
import { EngineServiceService as Engine, WatchEventsRequest } from '@teu/proto/engine';
import { CgroupAction, CgroupEvent, Event } from '@teu/proto/event';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.close());

test('a watch says where it begins, then gives what comes', async () => {
  await host.client.run(['true'], { autoRemove: true }, { wait: true });
  const stream = host.client.channel.serverStream(
    Engine.watchEvents,
    WatchEventsRequest.create({}),
  );
  const iterator = stream[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({ sequence: 5, event: undefined });
  const { id } = await host.client.create(['sleep']);
  const next = await iterator.next();
  expect(next.value).toMatchObject({
    sequence: 5,
    event: { payload: { $case: 'container', value: { containerId: id } } },
  });
  await iterator.return?.();
});

test('numbers go on without a gap after a restart, and can be filtered by container', async () => {
  const one = await host.client.create(['sleep']);
  await host.stopEngine();
  await host.startEngine();
  await host.client.run(['true'], {}, { wait: true });
  const all = (await host.client.events()).slice(1);
  expect(all.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  expect(all.map(({ event }) => event?.sourceSequence)).toEqual([1, 2, 3, 4]);
  const filtered = await host.client.events({ container: one.id });
  expect(filtered.slice(1).map(({ sequence }) => sequence)).toEqual([1]);
});

test('a number that is not there is refused', async () => {
  await host.client.create(['sleep']);
  const future = host.client.events({ fromSequence: 3 });
  await expect(future).rejects.toMatchObject({ reason: 'EVENTS_EXPIRED' });
});

test('events of other services join, each once', async () => {
  const { journal } = host.engine.engine;
  const event = Event.create({ id: 'e1', source: 'image', subject: 'teu.v1.n.image.loaded' });
  const payload = Event.encode(event).finish();
  journal.ingest({ eventId: event.id, payload });
  journal.ingest({ eventId: event.id, payload });
  expect((await host.client.events()).map((line) => line.event?.source)).toEqual([
    undefined,
    'image',
  ]);
});

test('what the kernel told of a container is among its own events, in their order', async () => {
  const { id } = await host.client.create(['sleep']);
  const other = await host.client.create(['sleep']);
  const { journal } = host.engine.engine;
  for (const containerId of [id, other.id]) {
    const value = CgroupEvent.create({
      action: CgroupAction.CGROUP_ACTION_LIMIT_REACHED,
      containerId,
      limit: 'pids.max',
    });
    const payload = Event.encode(
      Event.create({
        id: `e-${containerId}`,
        source: 'cgroup',
        payload: { $case: 'cgroup', value },
      }),
    ).finish();
    journal.ingest({ eventId: `e-${containerId}`, payload });
  }
  await host.client.start(id);
  const lines = (await host.client.events({ container: id })).slice(1);
  expect(lines.map(({ event }) => event?.payload?.$case)).toEqual([
    'container',
    'cgroup',
    'container',
  ]);
  expect(lines.map(({ sequence }) => sequence)).toEqual([1, 3, 5]);
});

test('the record tells the number of the last event about it', async () => {
  const { id } = await host.client.run(['true'], {}, { wait: true });
  expect((await host.client.get(id)).lastSequence).toBe(3);
});

test('the version tells how the other services are', async () => {
  await host.stopFake('image');
  const version = await host.client.channel.unary(Engine.getVersion, {});
  const byName = new Map(version.services.map((service) => [service.name, service]));
  expect(byName.get('image')).toMatchObject({ reachable: false, health: '' });
  expect(byName.get('overlay2')).toMatchObject({ reachable: true, health: 'SERVING' });
});
