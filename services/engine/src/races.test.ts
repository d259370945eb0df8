import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTeuError } from '@teu/errors';
import { ContainerState } from '@teu/proto/engine';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.close());

/** Park and Miller's generator: the same choices for the same seed. */
function randomSource(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 48271) % 2147483647;
    return state % bound;
  };
}

const LOSERS = new Set([
  'CONTAINER_NOT_FOUND',
  'CONTAINER_NAME_IN_USE',
  'CONTAINER_RUNNING',
  'CONTAINER_NOT_RUNNING',
  'CONFLICT',
]);

test('of many who want a name one gets it', async () => {
  const attempts = await Promise.allSettled(
    Array.from({ length: 16 }, () => host.client.run(['sleep'], { name: 'web' })),
  );
  const losers = attempts.flatMap((one) =>
    one.status === 'rejected' ? [one.reason as unknown] : [],
  );
  expect(losers).toHaveLength(15);
  for (const loser of losers) expect(isTeuError(loser, 'CONTAINER_NAME_IN_USE')).toBe(true);
  await host.settled();
  expect(host.holdings()['snapshots']).toHaveLength(1);
});

test('of many removals one succeeds, of many stops all', async () => {
  const { id } = await host.client.run(['sleep']);
  const stops = await Promise.all(Array.from({ length: 8 }, () => host.client.stop(id)));
  expect(new Set(stops.map(({ exit }) => exit?.exitCode))).toEqual(new Set([143]));
  const removals = await Promise.allSettled(
    Array.from({ length: 8 }, () => host.client.remove(id)),
  );
  expect(removals.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test.each([1, 42, 2026])(
  'sixteen clients, random verbs, seed %i',
  { timeout: 60_000 },
  async (seed) => {
    const random = randomSource(seed);
    // No letters of ids, which may be given by their beginning.
    const names = ['x', 'y', 'z'];
    const { client } = host;
    const verbs: ((name: string) => Promise<unknown>)[] = [
      (name) => client.run(['sleep'], { name }),
      (name) => client.create(['sleep'], { name }),
      (name) => client.run(['true'], { name, autoRemove: true }, { wait: true }),
      (name) => client.start(name),
      (name) => client.stop(name, 10),
      (name) => client.kill(name),
      (name) => client.remove(name),
      (name) => client.remove(name, true),
      (name) => client.exec(name, ['true']),
    ];
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 12; i += 1) {
        const name = names[random(names.length)]!;
        try {
          await verbs[random(verbs.length)]!(name);
        } catch (error) {
          const known = isTeuError(error) && LOSERS.has(error.reason);
          if (!known) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    await host.settled();
    await checkHistory();

    const { containers } = await client.list({ all: true });
    expect(host.holdings()['snapshots']?.sort()).toEqual(
      containers.map(({ snapshotKey }) => snapshotKey).sort(),
    );
    for (const container of containers) {
      const runs = container.state === ContainerState.CONTAINER_STATE_RUNNING;
      const process = host.executor.find({ containerId: container.id, execId: '' });
      expect(process !== undefined && process.exit === undefined).toBe(runs);
      expect(host.cgroup.groups.has(container.id)).toBe(runs);
      await client.remove(container.id, true);
    }
    await host.settled();
    expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
  },
);

/** Each container's story is one that a container can have. */
async function checkHistory(): Promise<void> {
  const allowed: Record<string, string[]> = {
    '': ['CREATED'],
    CREATED: ['STARTED', 'START_FAILED', 'REMOVED'],
    START_FAILED: ['STARTED', 'START_FAILED', 'REMOVED'],
    STARTED: ['EXITED'],
    EXITED: ['STARTED', 'START_FAILED', 'REMOVED'],
    REMOVED: [],
  };
  const state = new Map<string, string>();
  for (const { event } of await host.client.events()) {
    if (event?.payload?.$case !== 'container') continue;
    const { containerId } = event.payload.value;
    const verb = event.subject.split('.').at(-1)!.toUpperCase();
    if (verb.startsWith('EXEC_') || verb === 'KILLED') continue;
    const before = state.get(containerId) ?? '';
    expect(allowed[before], `${before} -> ${verb}`).toContain(verb);
    state.set(containerId, verb);
  }
}
