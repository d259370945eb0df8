import { afterEach, beforeEach, expect, test } from 'vitest';
import { isTeuError } from '@teu/errors';
import { BaseUpgradeState, type Container } from '@teu/proto/engine';
import { ChangeKind } from '@teu/proto/image';
import { Capability } from '@teu/proto/storage';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.withoutEngine();
  await host.image.put('base:1', 'b1');
  await host.image.put('base:2', ['b1', 'b2']);
  await host.image.put('app', ['b1', 'app']);
});
afterEach(() => host.close());

async function startEngine(capabilities: Capability[], warmStarts = 0): Promise<void> {
  host.driver.capabilities = capabilities;
  host.warmStarts = warmStarts;
  await host.startEngine();
  await waitFor(() => host.engine.engine.images.isTold);
}

const { CAPABILITY_REPARENT, CAPABILITY_LIVE_REPARENT } = Capability;
const KINDS = {
  reparent: [CAPABILITY_REPARENT],
  live: [CAPABILITY_REPARENT, CAPABILITY_LIVE_REPARENT],
  transplant: [],
};
const LOSERS = new Set([
  ...['CONTAINER_NOT_FOUND', 'CONTAINER_NAME_IN_USE', 'CONTAINER_RUNNING', 'CONFLICT'],
]);

/** What losing a race comes to; anything else is a defect. */
async function unlessLost(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isTeuError(error) || !LOSERS.has(error.reason)) throw error;
  });
}

/** Each layer stands where its container's record says, and there are no others. */
async function expectConsistent(containers: readonly Container[]): Promise<void> {
  await host.settled();
  expect([...host.driver.active.keys()].sort()).toEqual(
    containers.map(({ snapshotKey }) => snapshotKey).sort(),
  );
  for (const { imageId, snapshotKey } of containers) {
    expect(`sha256:${host.driver.active.get(snapshotKey) ?? ''}`).toBe(imageId);
  }
}

test.each(Object.entries(KINDS))(
  'containers come, run and go while bases are upgraded and put back (%s)',
  { timeout: 60_000 },
  async (_kind, capabilities) => {
    await startEngine(capabilities);
    const { client } = host;
    // None that could be the beginning of an id.
    const names = ['w', 'x', 'y', 'z'];
    let turns = 0;
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 15; i += 1) {
        turns += 1;
        const name = names[(turns * 7) % names.length] ?? '';
        const image = turns % 2 === 0 ? 'app' : 'base:1';
        const verbs = [
          () => client.run(['sleep'], { image, name }),
          () => client.create(['sleep'], { image, name }),
          () => client.start(name),
          () => client.stop(name, 10),
          () => client.remove(name, true),
          () => client.run(['true'], { image, autoRemove: true }, { wait: true }),
        ];
        await unlessLost(verbs[(turns * 5) % verbs.length]?.() ?? Promise.resolve());
      }
    };
    const upgrades = async (): Promise<void> => {
      for (let i = 0; i < 4; i += 1) {
        const { summary } = await client.upgradeBase('base:1', 'base:2');
        if (summary.id !== '' && i % 2 === 1) await client.undoUpgrade(summary.id);
      }
    };
    await Promise.all([...Array.from({ length: 6 }, worker), upgrades()]);
    for (const { state } of await client.upgrades()) {
      expect([
        BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED,
        BaseUpgradeState.BASE_UPGRADE_STATE_UNDONE,
      ]).toContain(state);
    }
    const { containers } = await client.list({ all: true });
    await expectConsistent(containers);
    for (const { id } of containers) {
      await client.stop(id, 10);
      const { pendingRebase } = await client.get(id);
      const started = await client.start(id);
      if (pendingRebase !== undefined) expect(started.imageId).toBe(pendingRebase.imageId);
    }
    await expectConsistent((await client.list({ all: true })).containers);
    for (const { id } of containers) await client.remove(id, true);
    await host.settled();
    expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
  },
);

test('nothing that was made in advance is in the way of a merge', async () => {
  await startEngine([Capability.CAPABILITY_MERGE_INTO_PARENT], 2);
  host.image.onCompare = () => [{ kind: ChangeKind.CHANGE_KIND_ADDED, path: '/new' }];
  await host.client.run(['true'], { image: 'app', autoRemove: true }, { wait: true });
  await waitFor(() => host.engine.engine.pool.readyCount === 2);
  host.driver.onMerge = () => expect(host.executor.prepared.size).toBe(0);
  const header = { image: 'base:1', reason: 'a hole', args: ['true'], hasConsent: true };
  expect((await host.client.editBase(header)).at(-1)?.$case).toBe('edit');
});

test('runs of a name that moved are on the new image, also those made in advance', async () => {
  await startEngine(KINDS.reparent, 2);
  const ready = () => host.engine.engine.pool.readyCount;
  await host.client.run(['true'], { image: 'app', autoRemove: true }, { wait: true });
  await waitFor(() => ready() === 2);
  await host.client.upgradeBase('base:1', 'base:2');
  await host.settled();
  expect([...host.driver.active.values()]).not.toContain('app');
  const { imageId } = await host.client.run(['sleep'], { image: 'app', name: 'web' });
  expect(imageId).toBe('sha256:app@b2');
  await host.client.remove('web', true);
});
