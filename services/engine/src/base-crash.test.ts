import { afterEach, expect, test } from 'vitest';
import { BaseUpgradeState, type Container } from '@teu/proto/engine';
import { ChangeKind } from '@teu/proto/image';
import { Capability } from '@teu/proto/storage';
import { startService, waitFor, type RunningTestService } from '@teu/testing';
import { ENGINE_FAILPOINTS } from './failpoints.js';
import { EngineClient, FakeHost } from './testing/index.js';

// The engine is ended at every step of an upgrade, its undo and an edit. The next start goes on without being asked, and
// comes to where it would have come without the end: each container stands where its record says, and nothing is left.
let host: FakeHost;
let service: RunningTestService | undefined;
afterEach(async () => {
  await service?.stop();
  await host.close();
});

async function startEngine(failpoints = ''): Promise<EngineClient> {
  service = await startService('engine', {
    runDir: host.directory,
    dataDir: host.dataDir,
    env: {
      TEU_FAILPOINTS: failpoints,
      TEU_NATS_URL: 'nats://127.0.0.1:9',
      TEU_ENGINE_WARM_STARTS: '0',
    },
  });
  return new EngineClient(service.channel);
}

const KINDS: Record<string, Capability[]> = {
  reparent: [Capability.CAPABILITY_REPARENT],
  live: [Capability.CAPABILITY_REPARENT, Capability.CAPABILITY_LIVE_REPARENT],
  transplant: [],
};

async function startHost(kind: string): Promise<void> {
  host = await FakeHost.withoutEngine();
  host.driver.capabilities = [...(KINDS[kind] ?? [])];
  await host.image.put('base:1', 'b1');
  await host.image.put('base:2', ['b1', 'b2']);
  await host.image.put('app', ['b1', 'app']);
}

async function makeContainers(client: EngineClient): Promise<void> {
  await client.create(['sleep'], { image: 'base:1', name: 'bare' });
  await client.create(['sleep'], { image: 'app', name: 'made' });
  await client.run(['sleep'], { image: 'app', name: 'web' });
}

const upgrade = (client: EngineClient) => client.upgradeBase('base:1', 'base:2');

async function undo(client: EngineClient): Promise<void> {
  const [newest] = await client.upgrades();
  await client.undoUpgrade(newest?.id ?? '');
}

/** Waits until the only upgrade is over, and gives the containers by name. */
async function settled(
  client: EngineClient,
  state: BaseUpgradeState,
): Promise<Record<string, Container>> {
  await waitFor(async () => (await client.upgrades())[0]?.state === state, { timeoutMs: 10_000 });
  const { containers } = await client.list({ all: true });
  await waitFor(() => host.driver.active.size === containers.length, { timeoutMs: 5_000 });
  return Object.fromEntries(containers.map((container) => [container.name, container]));
}

const parentOf = ({ snapshotKey }: Container) => host.driver.active.get(snapshotKey);

async function expectUpgraded(client: EngineClient, kind: string): Promise<void> {
  const state = BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED;
  const { bare, made, web } = await settled(client, state);
  const [upgraded] = await client.upgrades();
  const id = upgraded?.id ?? '';
  expect(bare).toMatchObject({ imageId: 'sha256:b2', baseUpgradeId: id });
  expect(made).toMatchObject({ imageId: 'sha256:app@b2', baseUpgradeId: id });
  expect([bare!, made!].map(parentOf)).toEqual(['b2', 'app@b2']);
  expect(host.image.names.get('app')).toBe('sha256:app@b2');
  const isLive = kind === 'live';
  expect(parentOf(web!)).toBe(isLive ? 'app@b2' : 'app');
  if (!isLive) expect(web?.pendingRebase).toMatchObject({ upgradeId: id, isUndo: false });
  expect(upgraded).toMatchObject(isLive ? { doneCount: 3 } : { doneCount: 2, scheduledCount: 1 });
}

async function expectUndone(client: EngineClient): Promise<void> {
  const { bare, made, web } = await settled(client, BaseUpgradeState.BASE_UPGRADE_STATE_UNDONE);
  expect([bare!, made!, web!].map(parentOf)).toEqual(['b1', 'app', 'app']);
  for (const container of [bare, made, web]) {
    expect(container).toMatchObject({ baseUpgradeId: '', pendingRebase: undefined });
  }
  expect(host.image.names.get('app')).toBe('sha256:app');
}

const pointsOf = (verb: string) =>
  ENGINE_FAILPOINTS.filter((point) => point.startsWith(`engine.${verb}.`));

/** Which points are passed with which kinds of drivers. */
const CASES = [...pointsOf('upgrade'), ...pointsOf('undo'), ...pointsOf('rebase')].flatMap(
  (point) =>
    Object.keys(KINDS)
      .filter((kind) => !(kind === 'transplant' && point.endsWith('after-parent')))
      .filter((kind) => !(kind !== 'transplant' && point.endsWith('after-transplant')))
      .map((kind) => ({ point, kind })),
);

test.each(CASES)('ends at $point with $kind', { timeout: 60_000 }, async ({ point, kind }) => {
  await startHost(kind);
  const isUndo = point.startsWith('engine.undo.');
  const before = await startEngine();
  await makeContainers(before);
  if (isUndo) await upgrade(before);
  await service?.stop();

  const dying = await startEngine(`${point}=exit`);
  await (isUndo ? undo(dying) : upgrade(dying)).catch(() => undefined);
  expect(await service?.exited).toMatchObject({ code: 70 });

  const after = await startEngine();
  if (!isUndo) {
    await expectUpgraded(after, kind);
    await undo(after);
  }
  await expectUndone(after);
  const facts = (await after.events()).flatMap(({ event }) =>
    event?.payload?.$case === 'base' ? [event.subject.split('.').at(-1)] : [],
  );
  expect(new Set(facts)).toEqual(new Set(['upgrade_begun', 'upgrade_completed', 'upgrade_undone']));
});

test('a start that finds its move half done finishes it', { timeout: 60_000 }, async () => {
  await startHost('reparent');
  const before = await startEngine();
  await before.run(['sleep'], { image: 'base:1', name: 'web' });
  await upgrade(before);
  await before.stop('web');
  await service?.stop();

  const dying = await startEngine('engine.rebase.after-parent=exit');
  await dying.start('web').catch(() => undefined);
  expect(await service?.exited).toMatchObject({ code: 70 });

  const after = await startEngine();
  expect((await after.get('web')).pendingRebase?.isBegun).toBe(true);
  expect(await after.start('web')).toMatchObject({
    imageId: 'sha256:b2',
    pendingRebase: undefined,
  });
});

test.each(pointsOf('edit'))('ends at %s', { timeout: 60_000 }, async (point) => {
  await startHost('live');
  host.driver.capabilities.push(Capability.CAPABILITY_MERGE_INTO_PARENT);
  const change = { kind: ChangeKind.CHANGE_KIND_CONTENT, path: '/etc/issue' };
  host.image.onCompare = () => [change];
  const dying = await startEngine(`${point}=exit`);
  const header = { image: 'base:1', reason: 'why not', args: ['true'], hasConsent: true };
  await dying.editBase(header).catch(() => undefined);
  expect(await service?.exited).toMatchObject({ code: 70 });

  const after = await startEngine();
  await waitFor(async () => (await after.list({ all: true })).containers.length === 0);
  const isConsented = !/after-(intent|program)$/.test(point);
  await waitFor(() => host.driver.active.size === 0 && host.cgroup.groups.size === 0);
  expect(await after.edits()).toHaveLength(isConsented ? 1 : 0);
  expect(host.driver.merged.length > 0).toBe(isConsented);
  // Another one is not kept away.
  await waitFor(async () => {
    const parts = await after.editBase(header).catch(() => []);
    return parts.at(-1)?.$case === 'edit';
  });
});
