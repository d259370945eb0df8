import { afterEach, expect, test } from 'vitest';
import { ContainerState, type Container } from '@teu/proto/engine';
import { startService, waitFor, type RunningTestService } from '@teu/testing';
import { ENGINE_FAILPOINTS } from './failpoints.js';
import { EngineClient, FakeHost } from './testing/index.js';

// The engine is ended at every step of every verb; the next start must find the truth: what was answered is there,
// what was not is gone, and the other services hold what the containers need and nothing else.
let host: FakeHost;
let service: RunningTestService | undefined;
afterEach(async () => {
  await service?.stop();
  await host.close();
});

async function startEngine(failpoints = '', warmStarts = 0): Promise<EngineClient> {
  service = await startService('engine', {
    runDir: host.directory,
    dataDir: host.dataDir,
    env: {
      TEU_FAILPOINTS: failpoints,
      TEU_NATS_URL: 'nats://127.0.0.1:9',
      TEU_ENGINE_WARM_STARTS: String(warmStarts),
    },
  });
  return new EngineClient(service.channel);
}

/** Waits until an engine hears of changes of images, from when on it asks once for each and makes starts in advance. */
async function untilImagesAreKept(client: EngineClient): Promise<void> {
  await waitFor(async () => {
    const { calls } = host.image;
    await client.remove((await client.create(['sleep'])).id);
    return host.image.calls === calls;
  });
}

/** What brings the engine past a point, and whether its client is told of success before. */
const TRIGGERS: Record<string, (client: EngineClient) => Promise<unknown>> = {
  create: (client) => client.create(['sleep'], { name: 'new' }),
  run: (client) => client.run(['sleep'], { name: 'new' }),
  start: (client) => client.run(['sleep'], { name: 'new' }),
  exit: async (client) => {
    const { id } = await client.run(['sleep'], { name: 'new' });
    host.executor.find({ containerId: id, execId: '' })?.end(3);
    await client.wait(id);
  },
  update: async (client) => {
    await client.run(['sleep'], { name: 'new' });
    await client.update('new', { pids: { limit: 9 } });
  },
  remove: async (client) => {
    await client.create(['sleep'], { name: 'new' });
    await client.remove('new');
  },
  warm: async (client) => {
    await untilImagesAreKept(client);
    await client.run(['true'], { autoRemove: true }, { wait: true });
    await service?.exited;
  },
  driver: async (client) => {
    await host.startFake('other');
    await client.addDriver('other', host.address('other'));
    await client.removeDriver('other');
  },
  teardown: (client) => client.run(['true'], { autoRemove: true }, { wait: true }),
};

async function startTwice(client: EngineClient): Promise<void> {
  await client.create(['sleep'], { name: 'new' });
  await client.start('new');
}

/** Those of changes of bases, commits and pauses have tables of their own (base-crash, commit, pause). */
const OTHERS = /^engine\.(upgrade|undo|rebase|edit|commit|pause|unpause)\./;
const POINTS = ENGINE_FAILPOINTS.filter((point) => !OTHERS.test(point));

test.each(POINTS)('ends at %s', async (point) => {
  host = await FakeHost.withoutEngine();
  const before = await startEngine();
  const old = await before.run(['sleep'], { name: 'old' });
  await service?.stop();

  const verb = point.split('.')[1] ?? '';
  const dying = await startEngine(`${point}=exit`, verb === 'warm' ? 2 : 0);
  const trigger = point === 'engine.start.after-intent' ? startTwice : TRIGGERS[verb];
  await trigger?.(dying).catch(() => undefined);
  expect(await service?.exited).toMatchObject({ code: 70 });

  const after = await startEngine();
  await waitFor(async () => holdsExactly((await after.list({ all: true })).containers));
  const { containers } = await after.list({ all: true });
  expect(containers.find(({ id }) => id === old.id)).toEqual(old);
  const events = (await after.events()).slice(1).map(({ sequence }) => sequence);
  expect(events).toEqual(events.map((_, i) => i + 1));
  // Layers are gone from it, and come back when they are needed.
  if (verb === 'driver') expect(await after.driverNames()).toEqual(['overlay2', 'other']);
  if (verb === 'exit') expect((await after.wait('new')).exitCode).toBe(3);
  // The ledger hears of the run, however the engine ended.
  const exits = host.cgroup.ended.map(({ end }) => end?.exitCode);
  if (verb === 'exit') expect(exits).toContain(3);
  if (verb === 'teardown') expect(exits).toContain(0);

  for (const { id } of containers) await after.remove(id, true);
  await waitFor(() => holdsExactly([]));
  expect((await after.run(['true'], { name: 'new' }, { wait: true })).exit?.exitCode).toBe(0);
});

test.each(['engine.start.after-launch', 'engine.start.after-record'])(
  'ends at %s of a start that was made in advance',
  async (point) => {
    host = await FakeHost.withoutEngine();
    const dying = await startEngine(`${point}=exit@2`, 2);
    await untilImagesAreKept(dying);
    await dying.run(['true'], { autoRemove: true }, { wait: true });
    // Starts are made one after the other: when the second is there the first is ready.
    await waitFor(() => host.executor.prepared.size === 2);
    const [first = ''] = host.executor.prepared;
    await dying.run(['sleep'], { name: 'new' }).catch(() => undefined);
    expect(await service?.exited).toMatchObject({ code: 70 });
    expect(host.executor.find({ containerId: first, execId: '' })).toBeDefined();

    const after = await startEngine();
    await waitFor(async () => holdsExactly((await after.list({ all: true })).containers));
    const { containers } = await after.list({ all: true });
    expect(containers.map(({ id }) => id)).toEqual(point.endsWith('record') ? [first] : []);
    for (const { id } of containers) await after.remove(id, true);
    await waitFor(() => holdsExactly([]));
  },
);

/** Tells whether the other services hold what these containers need and nothing else. */
function holdsExactly(containers: Container[]): boolean {
  const { snapshots = [], cgroups = [], processes = [] } = host.holdings();
  const running = containers.filter((c) => c.state === ContainerState.CONTAINER_STATE_RUNNING);
  const ran = containers.filter((c) => c.state !== ContainerState.CONTAINER_STATE_CREATED);
  const same = (held: string[], needed: string[]): boolean =>
    JSON.stringify([...held].sort()) === JSON.stringify([...needed].sort());
  return (
    same(
      snapshots,
      containers.map(({ snapshotKey }) => snapshotKey),
    ) &&
    same(
      cgroups,
      running.map(({ id }) => id),
    ) &&
    same(
      processes,
      ran.map(({ id }) => `${id}/`),
    )
  );
}
