import { startService, waitFor, type RunningTestService } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ENGINE_FAILPOINTS } from './failpoints.js';
import { EngineClient, FakeHost } from './testing/index.js';

const SIGHUP = 1;
const SIGTERM = 15;

describe('pause', () => {
  let host: FakeHost;
  let client: EngineClient;
  beforeEach(async () => {
    host = await FakeHost.start();
    client = host.client;
  });
  afterEach(() => host.close());

  const isFrozen = (id: string): boolean => host.cgroup.frozen.has(id);

  test('stops a container until it is unpaused', async () => {
    const { id } = await client.run(['sleep'], { name: 'box' });
    expect((await client.pause('box')).paused).toBe(true);
    expect(isFrozen(id)).toBe(true);
    await expect(client.pause('box')).rejects.toMatchObject({ reason: 'CONTAINER_PAUSED' });
    await expect(client.exec('box', ['true'])).rejects.toMatchObject({
      reason: 'CONTAINER_PAUSED',
    });
    expect((await client.unpause('box')).paused).toBe(false);
    expect(isFrozen(id)).toBe(false);
    await expect(client.unpause('box')).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    expect((await client.exec('box', ['true'])).exit?.exitCode).toBe(0);
    const actions = await client.actions(id);
    expect(actions.slice(0, 4)).toEqual(['CREATED', 'STARTED', 'PAUSED', 'UNPAUSED']);
  });

  test('is for running containers only, and fails as a whole', async () => {
    const { id } = await client.create(['sleep'], { name: 'box' });
    await expect(client.pause('box')).rejects.toMatchObject({ reason: 'CONTAINER_NOT_RUNNING' });
    await client.start('box');
    host.cgroup.groups.delete(id);
    await expect(client.pause('box')).rejects.toMatchObject({ reason: 'CONTAINER_NOT_RUNNING' });
    expect((await client.get('box')).paused).toBe(false);
    expect(host.engine.engine.store.intents.list(id)).toEqual([]);
  });

  test('a service that cannot be reached leaves the container running', async () => {
    const { id } = await client.run(['sleep'], { name: 'box' });
    await host.stopFake('cgroup');
    await expect(client.pause('box')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect((await client.get('box')).paused).toBe(false);
    await host.startFake('cgroup');
    await waitFor(() => host.engine.engine.store.intents.list(id).length === 0);
    expect(isFrozen(id)).toBe(false);
    expect(host.cgroup.stills).toEqual(['thaw']);
  });

  test('outlasts work on a container that holds it still', async () => {
    const { id } = await client.run(['sleep'], { name: 'box' });
    const { freezer, registry } = host.engine.engine;
    const entry = registry.resolve('box');
    await client.pause('box');
    await freezer.whileFrozen(entry, async () => expect(isFrozen(id)).toBe(true));
    expect(isFrozen(id)).toBe(true);
    await freezer.whileFrozen(entry, async () => {
      await client.unpause('box');
      expect(isFrozen(id)).toBe(true);
    });
    expect(isFrozen(id)).toBe(false);
    await freezer.whileFrozen(entry, async () => {
      await client.pause('box');
    });
    expect(isFrozen(id)).toBe(true);
  });

  test('ends with the container: by stop, by kill, by removal, by its own end', async () => {
    const ways: Record<string, (name: string) => Promise<unknown>> = {
      stop: (name) => client.stop(name),
      kill: (name) => client.kill(name),
      remove: (name) => client.remove(name, true),
    };
    for (const [name, end] of Object.entries(ways)) {
      const { id } = await client.run(['sleep'], { name });
      const entry = host.engine.engine.registry.resolve(name);
      await client.pause(name);
      await end(name);
      await waitFor(() => !entry.running);
      expect(entry.container.paused).toBe(false);
      if (name !== 'remove') expect(await client.actions(id)).toContain('UNPAUSED');
    }
    expect((await client.start('stop')).paused).toBe(false);
  });

  test('a signal that does not end a container waits for it to go on', async () => {
    const { id } = await client.run(['sleep'], { name: 'box' });
    await client.pause('box');
    await client.kill('box', 'HUP');
    expect(isFrozen(id)).toBe(true);
    expect((await client.get('box')).paused).toBe(true);
    await client.kill('box', 'TERM');
    expect(isFrozen(id)).toBe(false);
    const process = host.executor.find({ containerId: id, execId: '' });
    expect(process?.signals).toEqual([SIGHUP, SIGTERM]);
  });
});

describe('an engine that ends', () => {
  let host: FakeHost;
  let service: RunningTestService;
  afterEach(async () => {
    await service.stop();
    await host.close();
  });

  async function startEngine(failpoints = ''): Promise<EngineClient> {
    const env = { TEU_FAILPOINTS: failpoints, TEU_NATS_URL: 'nats://127.0.0.1:9' };
    const { directory: runDir, dataDir } = host;
    service = await startService('engine', { runDir, dataDir, env });
    return new EngineClient(service.channel);
  }

  const points = ENGINE_FAILPOINTS.filter((point) => /^engine\.(un)?pause\./.test(point));

  test.each(points)('at %s leaves record and kernel alike', async (point) => {
    host = await FakeHost.withoutEngine();
    const dying = await startEngine(`${point}=exit`);
    const { id } = await dying.run(['sleep'], { name: 'box' });
    const change = async (): Promise<void> => {
      await dying.pause('box');
      await dying.unpause('box');
    };
    await expect(change()).rejects.toThrow();
    expect(await service.exited).toMatchObject({ code: 70 });
    const after = await startEngine();
    const { paused } = await after.get('box');
    const isUnpause = point.startsWith('engine.unpause.');
    expect(paused).toBe(point.endsWith('.after-record') !== isUnpause);
    await waitFor(() => host.cgroup.frozen.has(id) === paused, { what: 'the kernel to agree' });
    // And it can be changed again.
    if (paused) await after.unpause('box');
    await after.pause('box');
    expect(host.cgroup.frozen.has(id)).toBe(true);
  });
});
