import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { teuError } from '@teu/errors';
import {
  BaseServiceService,
  BaseUpgradeState,
  ContainerState,
  RebaseState,
  RebaseTiming,
  type PlanBaseUpgradeResponse,
  type UpgradeBaseResponse,
} from '@teu/proto/engine';
import { ChangeKind } from '@teu/proto/image';
import { Capability } from '@teu/proto/storage';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

const { REBASE_STATE_DONE, REBASE_STATE_SCHEDULED, REBASE_STATE_FAILED } = RebaseState;
const { REBASE_STATE_UNDONE, REBASE_STATE_UNDO_SCHEDULED } = RebaseState;
const NO_UPGRADE = { baseUpgradeId: '', pendingRebase: undefined };

/** What drivers can do: change parents, do that live, or neither. */
const KINDS: Record<string, Capability[]> = {
  reparent: [Capability.CAPABILITY_REPARENT],
  live: [Capability.CAPABILITY_REPARENT, Capability.CAPABILITY_LIVE_REPARENT],
  transplant: [],
};

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
  host.driver.capabilities = KINDS['reparent'] ?? [];
  await host.image.put('base:1', 'b1');
  await host.image.put('base:2', ['b1', 'b2']);
  await host.image.put('app', ['b1', 'app']);
  await host.image.put('stranger', ['s']);
  await waitFor(() => host.engine.engine.images.isTold);
});
afterEach(() => host.close());

const create = (image: string, name: string, spec = {}) =>
  host.client.create(['sleep'], { image, name, ...spec });
const run = (image: string, name: string) => host.client.run(['sleep'], { image, name });
const upgrade = () => host.client.upgradeBase('base:1', 'base:2');

/** Name of the committed snapshot that a container's layer stands on. */
async function parentOf(name: string): Promise<string | undefined> {
  return host.driver.active.get((await host.client.get(name)).snapshotKey);
}

const REBUILT = 'app@b2';

describe.each(Object.keys(KINDS))('on a driver of the kind %s', (kind) => {
  beforeEach(() => {
    host.driver.capabilities = KINDS[kind] ?? [];
  });
  const isLive = kind === 'live';

  test('stopped containers of the base and of derived images follow, others do not', async () => {
    await create('base:1', 'bare', { rootSizeBytes: 0 });
    const { id } = await create('app', 'made');
    await run('app', 'ended');
    await host.client.stop('ended');
    await create('stranger', 'other');
    await create('base:2', 'new');
    const { containers, summary } = await upgrade();
    expect(containers.map(({ name, state }) => [name, state])).toEqual([
      ['bare', REBASE_STATE_DONE],
      ['made', REBASE_STATE_DONE],
      ['ended', REBASE_STATE_DONE],
    ]);
    expect(summary).toMatchObject({
      state: BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED,
      doneCount: 3,
      failedCount: 0,
      images: [{ references: ['app'], movedReferences: ['app'], newImageId: `sha256:${REBUILT}` }],
    });
    await host.settled();
    expect(await Promise.all(['bare', 'made', 'ended', 'other', 'new'].map(parentOf))).toEqual([
      ...['b2', REBUILT, REBUILT, 's', 'b2'],
    ]);
    expect(host.driver.active.size).toBe(5);
    expect(await host.client.get('made')).toMatchObject({
      imageId: `sha256:${REBUILT}`,
      baseUpgradeId: summary.id,
      pendingRebase: undefined,
      spec: { image: 'app' },
    });
    expect(await host.client.actions(id)).toEqual(['CREATED', 'REBASED']);
    expect((await host.client.start('made')).state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
    expect((await run('app', 'later')).imageId).toBe(`sha256:${REBUILT}`);
    expect((await run('base:1', 'old')).imageId).toBe('sha256:b1');
  });

  test(`a running one follows ${isLive ? 'at once' : 'at its next start'}`, async () => {
    const { id, pid } = await run('app', 'web');
    const { containers, summary } = await upgrade();
    const state = isLive ? REBASE_STATE_DONE : REBASE_STATE_SCHEDULED;
    expect(containers).toMatchObject([{ name: 'web', state, isLive }]);
    const after = await host.client.get('web');
    expect(after.pid).toBe(pid);
    if (isLive) {
      expect(after).toMatchObject({ imageId: `sha256:${REBUILT}`, baseUpgradeId: summary.id });
      expect(host.driver.shown.get(after.snapshotKey)).toBe(REBUILT);
    } else {
      const imageId = `sha256:${REBUILT}`;
      const pendingRebase = { upgradeId: summary.id, imageId, isUndo: false, isBegun: false };
      expect(after).toMatchObject({ imageId: 'sha256:app', pendingRebase });
      expect(await parentOf('web')).toBe('app');
      await host.client.stop('web');
      expect(await parentOf('web')).toBe('app');
      await host.client.start('web');
    }
    expect(await parentOf('web')).toBe(REBUILT);
    expect(await host.client.get('web')).toMatchObject({
      imageId: `sha256:${REBUILT}`,
      pendingRebase: undefined,
    });
    expect((await host.client.upgrades())[0]).toMatchObject({ doneCount: 1, scheduledCount: 0 });
    const told = (await host.client.actions(id)).filter((action) => action.includes('REBASE'));
    expect(told).toEqual(isLive ? ['REBASED'] : ['REBASE_SCHEDULED', 'REBASED']);
    await host.settled();
    expect(host.driver.active.size).toBe(1);
  });

  test('an undo puts names and containers back, once', async () => {
    await create('base:1', 'bare');
    await run('app', 'web');
    await create('app', 'made');
    const { summary } = await upgrade();
    await host.client.start('made');
    const undone = await host.client.undoUpgrade(summary.id.slice(0, 8));
    const madeState = isLive ? REBASE_STATE_UNDONE : REBASE_STATE_UNDO_SCHEDULED;
    expect(undone.containers.map(({ name, state }) => [name, state])).toEqual([
      ['bare', REBASE_STATE_UNDONE],
      ['web', REBASE_STATE_UNDONE],
      ['made', madeState],
    ]);
    expect(undone.summary.state).toBe(BaseUpgradeState.BASE_UPGRADE_STATE_UNDONE);
    expect(host.image.names.get('app')).toBe('sha256:app');
    await host.client.stop('made');
    await host.client.start('made');
    await host.settled();
    expect(await Promise.all(['bare', 'web', 'made'].map(parentOf))).toEqual(['b1', 'app', 'app']);
    for (const name of ['bare', 'web', 'made']) {
      expect(await host.client.get(name)).toMatchObject(NO_UPGRADE);
    }
    expect((await host.client.upgrades())[0]).toMatchObject({ doneCount: 0, undoneCount: 3 });
    const again = host.client.undoUpgrade(summary.id);
    await expect(again).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    await host.stopEngine();
    await host.startEngine();
    expect(await parentOf('made')).toBe('app');
    expect(host.driver.active.size).toBe(3);
  });

  test('two upgrades after each other are undone in turn', async () => {
    await host.image.put('base:3', ['b1', 'b2', 'b3']);
    await create('base:1', 'bare');
    const one = await upgrade();
    const two = await host.client.upgradeBase('base:2', 'base:3');
    expect(await parentOf('bare')).toBe('b3');
    const early = await host.client.undoUpgrade(one.summary.id);
    expect(early.containers).toMatchObject([{ state: REBASE_STATE_FAILED }]);
    expect(early.containers[0]?.detail).toContain(two.summary.id);
    await host.client.undoUpgrade(two.summary.id);
    expect(await host.client.get('bare')).toMatchObject({
      imageId: 'sha256:b2',
      baseUpgradeId: one.summary.id,
    });
    await host.client.undoUpgrade(one.summary.id);
    expect(await parentOf('bare')).toBe('b1');
  });
});

test('a limit of the layer is kept where a new one takes its place', async () => {
  host.driver.capabilities = [Capability.CAPABILITY_QUOTA];
  let labels: Record<string, string> = {};
  const { onTransplant } = host.image;
  host.image.onTransplant = (request) => {
    labels = request.targetLabels;
    onTransplant(request);
  };
  await create('base:1', 'small', { rootSizeBytes: 1 << 20 });
  const { snapshotKey } = await host.client.get('small');
  await upgrade();
  expect(labels).toEqual({ 'containerd.io/snapshot/max-size': String(1 << 20) });
  await host.settled();
  expect([...host.driver.active.keys()]).toEqual([`${snapshotKey}/1`]);
  await host.client.remove('small');
  await host.settled();
  expect(host.holdings()['snapshots']).toEqual([]);
});

describe('a failure', () => {
  test('of one container keeps nobody else, and the same again takes the rest', async () => {
    await create('base:1', 'bad');
    const { snapshotKey } = await host.client.get('bad');
    await create('base:1', 'good');
    host.driver.onSetParent = ({ key }) => {
      if (key === snapshotKey) throw teuError('STORAGE_FULL', 'the disk is full');
    };
    const { containers, summary } = await upgrade();
    expect(containers).toMatchObject([
      { name: 'bad', state: REBASE_STATE_FAILED, detail: 'the disk is full' },
      { name: 'good', state: REBASE_STATE_DONE },
    ]);
    expect(summary).toMatchObject({ doneCount: 1, failedCount: 1 });
    expect(await host.client.get('bad')).toMatchObject({ imageId: 'sha256:b1', ...NO_UPGRADE });
    expect((await host.client.start('bad')).state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
    await host.client.stop('bad');
    host.driver.onSetParent = () => undefined;
    expect((await upgrade()).containers).toMatchObject([{ name: 'bad', state: REBASE_STATE_DONE }]);
    expect((await upgrade()).summary.id).toBe('');
  });

  test('after which nobody can tell is finished before the next start', async () => {
    await create('base:1', 'doubtful');
    host.driver.afterSetParent = () => {
      host.driver.hang();
      throw teuError('STORAGE_FAILED', 'an I/O error');
    };
    const { containers } = await upgrade();
    expect(containers).toMatchObject([{ state: REBASE_STATE_SCHEDULED, detail: 'an I/O error' }]);
    expect((await host.client.get('doubtful')).pendingRebase?.isBegun).toBe(true);
    host.driver.afterSetParent = () => undefined;
    host.driver.goOn();
    await waitFor(async () => (await host.client.drivers())[0]?.state === 1, { timeoutMs: 20_000 });
    expect(await host.client.start('doubtful')).toMatchObject({ imageId: 'sha256:b2' });
  });

  test('of a scheduled one fails the start, and loses nothing', async () => {
    await run('base:1', 'web');
    const { summary } = await upgrade();
    await host.client.stop('web');
    host.driver.onSetParent = () => {
      throw teuError('STORAGE_FULL', 'the disk is full');
    };
    const start = host.client.start('web');
    await expect(start).rejects.toMatchObject({ reason: 'STORAGE_FULL' });
    await expect(host.client.start('web')).rejects.toThrow(summary.id);
    expect(await host.client.get('web')).toMatchObject({
      imageId: 'sha256:b1',
      pendingRebase: { upgradeId: summary.id },
    });
    await host.client.undoUpgrade(summary.id);
    expect(await host.client.start('web')).toMatchObject({ imageId: 'sha256:b1', ...NO_UPGRADE });
  });

  test('of an image leaves its containers and its names where they are', async () => {
    await create('app', 'made');
    await create('base:1', 'bare');
    host.image.onRebuild = () => {
      throw teuError('IMAGE_INVALID', 'too many layers');
    };
    const { containers, summary } = await upgrade();
    expect(containers).toMatchObject([
      { name: 'bare', state: REBASE_STATE_DONE },
      { name: 'made', state: REBASE_STATE_FAILED },
    ]);
    expect(summary.images).toMatchObject([{ error: 'too many layers', movedReferences: [] }]);
    expect(host.image.names.get('app')).toBe('sha256:app');
    host.image.onRebuild = () => undefined;
    expect((await upgrade()).summary).toMatchObject({ doneCount: 1, failedCount: 0 });
    expect(await parentOf('made')).toBe(REBUILT);
  });
});

describe('what can not be', () => {
  test.each([
    ['base:1', 'base:1', 'INVALID_ARGUMENT'],
    ['base:1', 'nosuch', 'IMAGE_NOT_FOUND'],
    ['nosuch', 'base:1', 'IMAGE_NOT_FOUND'],
  ])('an upgrade from %s to %s is %s', async (oldBase, newBase, reason) => {
    await expect(host.client.planUpgrade(oldBase, newBase)).rejects.toMatchObject({ reason });
    await expect(host.client.upgradeBase(oldBase, newBase)).rejects.toMatchObject({ reason });
    expect(await host.client.upgrades()).toEqual([]);
  });

  test.each(['', 'zz', 'ABCD', '0'.repeat(33)])('an upgrade is not called "%s"', async (id) => {
    const reason = 'INVALID_ARGUMENT';
    await expect(host.client.undoUpgrade(id)).rejects.toMatchObject({ reason });
    await expect(host.client.upgrade(id)).rejects.toMatchObject({ reason });
  });

  test('an upgrade that is not there is not undone', async () => {
    const reason = 'BASE_UPGRADE_NOT_FOUND';
    await expect(host.client.undoUpgrade('00000000')).rejects.toMatchObject({ reason });
  });

  test('an undo whose images were removed names them, and changes nothing', async () => {
    await create('app', 'made');
    const { summary } = await upgrade();
    host.image.images.delete('sha256:app');
    const undo = host.client.undoUpgrade(summary.id);
    await expect(undo).rejects.toMatchObject({ reason: 'IMAGE_NOT_FOUND' });
    await expect(host.client.undoUpgrade(summary.id)).rejects.toThrow('sha256:app');
    expect(await parentOf('made')).toBe(REBUILT);
    expect(host.image.names.get('app')).toBe(`sha256:${REBUILT}`);
  });

  test('two upgrades at a time are refused, and one whose client leaves goes on', async () => {
    for (let i = 0; i < 3; i += 1) await create('base:1', `c${i}`);
    host.driver.hang();
    const leaving = new AbortController();
    const request = { oldBase: 'base:1', newBase: 'base:2' };
    const steps = host.client.channel.serverStream(BaseServiceService.upgradeBase, request, {
      signal: leaving.signal,
    });
    const { value } = (await steps[Symbol.asyncIterator]().next()) as {
      value: UpgradeBaseResponse;
    };
    expect(value.step?.part?.$case).toBe('begun');
    await expect(upgrade()).rejects.toMatchObject({ reason: 'CONFLICT' });
    leaving.abort();
    host.driver.goOn();
    const { BASE_UPGRADE_STATE_COMPLETED: state } = BaseUpgradeState;
    await waitFor(async () => (await host.client.upgrades())[0]?.state === state);
    expect((await host.client.upgrades())[0]).toMatchObject({ doneCount: 3 });
  });
});

describe('a plan', () => {
  const parts = (plan: PlanBaseUpgradeResponse[], kind: string) =>
    plan.flatMap(({ part }) => (part?.$case === kind ? [part.value] : []));

  test('tells images, containers, files and conflicts, and changes nothing', async () => {
    const { id } = await create('app', 'made');
    await run('base:1', 'web');
    await host.startFake('other');
    await host.client.addDriver('other', host.address('other'));
    await create('base:1', 'away', { driver: 'other' });
    await host.stopFake('other');
    const { CHANGE_KIND_ADDED, CHANGE_KIND_CONTENT } = ChangeKind;
    const { CHANGE_KIND_REMOVED, CHANGE_KIND_ATTRIBUTES } = ChangeKind;
    host.image.differences.set('b1 b2', [
      { kind: CHANGE_KIND_ATTRIBUTES, path: '/etc' },
      { kind: CHANGE_KIND_CONTENT, path: '/etc/issue' },
      { kind: CHANGE_KIND_ADDED, path: '/opt/a/b' },
      { kind: CHANGE_KIND_REMOVED, path: '/srv' },
    ]);
    host.image.differences.set('b1 app', [{ kind: CHANGE_KIND_CONTENT, path: '/etc/issue' }]);
    host.image.differences.set(`app container/${id}`, [
      { kind: CHANGE_KIND_ATTRIBUTES, path: '/etc' },
      { kind: CHANGE_KIND_REMOVED, path: '/opt/a' },
      { kind: CHANGE_KIND_CONTENT, path: '/srv/www/index' },
      { kind: CHANGE_KIND_ADDED, path: '/var/own' },
    ]);
    const plan = await host.client.planUpgrade('base:1', 'base:2');
    expect(parts(plan, 'image')).toEqual([
      { id: 'sha256:app', references: ['app'], ownLayerCount: 1 },
    ]);
    expect(parts(plan, 'container')).toMatchObject([
      { name: 'made', timing: RebaseTiming.REBASE_TIMING_NOW_STOPPED, detail: '' },
      { name: 'web', timing: RebaseTiming.REBASE_TIMING_AT_NEXT_START },
      { name: 'away', timing: RebaseTiming.REBASE_TIMING_NEVER },
    ]);
    expect(parts(plan, 'conflict')).toMatchObject([
      { imageId: 'sha256:app', name: 'app', path: '/etc/issue' },
      { containerId: id, path: '/opt/a/b', ownChange: CHANGE_KIND_REMOVED },
      { containerId: id, path: '/srv/www/index', baseChange: CHANGE_KIND_REMOVED },
      { name: 'away', error: expect.stringContaining('other') as string },
    ]);
    expect(plan.at(-1)?.part).toMatchObject({
      $case: 'summary',
      value: {
        ...{ imageCount: 1, stoppedCount: 1, scheduledCount: 1, neverCount: 1, liveCount: 0 },
        ...{ changeCount: 4, conflictCount: 3 },
      },
    });
    expect(await host.client.upgrades()).toEqual([]);
    expect(await parentOf('made')).toBe('app');
    expect(host.image.names.get('app')).toBe('sha256:app');
  });
});
