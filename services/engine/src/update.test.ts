import { teuError } from '@teu/errors';
import { startService, waitFor, type RunningTestService } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineClient, FakeHost } from './testing/index.js';

const limitsOf = (host: FakeHost, id: string): unknown =>
  JSON.parse(host.cgroup.groups.get(id) ?? 'null');

describe('an update of limits', () => {
  let host: FakeHost;
  let client: EngineClient;
  beforeEach(async () => {
    host = await FakeHost.start();
    client = host.client;
  });
  afterEach(() => host.close());

  const noIntents = (id: string) => host.engine.engine.store.intents.list(id);

  test('of a running container is in force and on record at once', async () => {
    const resources = { memory: { limit: 4096 }, pids: { limit: 5 } };
    const { id } = await client.run(['sleep'], { name: 'box', resources });
    const updated = await client.update('box', { pids: { limit: 9 }, cpu: { shares: 7 } });
    expect(updated.spec?.resources).toMatchObject({
      cpu: { shares: 7 },
      memory: { limit: 4096 },
      pids: { limit: 9 },
    });
    expect(limitsOf(host, id)).toMatchObject({
      cpu: { shares: 7 },
      memory: { limit: 4096 },
      pids: { limit: 9 },
    });
    expect(await client.actions(id)).toEqual(['CREATED', 'STARTED', 'UPDATED']);
    expect(noIntents(id)).toEqual([]);
  });

  test('of one that does not run is checked against the host, and in force at its start', async () => {
    const { id } = await client.create(['sleep'], { name: 'box' });
    await client.update('box', { pids: { limit: 9 } });
    await waitFor(() => host.cgroup.groups.size === 0);
    expect(await client.actions(id)).toEqual(['CREATED', 'UPDATED']);
    await client.start('box');
    expect(limitsOf(host, id)).toMatchObject({ pids: { limit: 9 } });
  });

  test('that is refused leaves the record and the kernel as they were', async () => {
    const { id } = await client.run(['sleep'], { name: 'runs', resources: { pids: { limit: 5 } } });
    await client.create(['sleep'], { name: 'rests' });
    const before = { record: await client.get('runs'), kernel: limitsOf(host, id) };
    for (const name of ['runs', 'rests']) {
      const update = client.update(name, { memory: { high: 1 }, pids: { limit: 9 } });
      await expect(update).rejects.toMatchObject({ reason: 'RESOURCE_UNSUPPORTED' });
    }
    expect({ record: await client.get('runs'), kernel: limitsOf(host, id) }).toEqual(before);
    await waitFor(() => host.cgroup.groups.size === 1);
    expect(noIntents(id)).toEqual([]);
  });

  test.each([
    [{ memory: { limit: 0 } }, 'resources.memory.limit is 0'],
    [{ memory: { swappiness: 101 } }, 'resources.memory.swappiness is 101'],
    [{ cpu: { shares: 1 } }, 'resources.cpu.shares is 1'],
    [{ blockIo: { weight: 5 } }, 'resources.block_io.weight is 5'],
    [{ unified: { a: 'x'.repeat(5000) } }, 'resources.unified is too long'],
  ])('%j can never be right', async (wanted, message) => {
    await client.create(['sleep'], { name: 'box' });
    await expect(client.update('box', wanted)).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message) as string,
    });
  });

  test('is not tried again and again where nothing would change: a device that is gone', async () => {
    const { id } = await client.run(['sleep'], { name: 'box', resources: { pids: { limit: 5 } } });
    let attempts = 0;
    host.cgroup.onUpdate = () => {
      attempts += 1;
      throw teuError('INVALID_ARGUMENT', 'there is no device /dev/gone');
    };
    const update = client.update('box', { pids: { limit: 9 } });
    await expect(update).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    // Once to change it, once to have it as it was.
    expect(attempts).toBe(2);
    expect(noIntents(id)).toEqual([]);
  });

  const GONE = { path: '', major: 4000, minor: 1, rate: 1 << 20 };
  const GONE_PATH = { path: '/dev/gone', major: 0, minor: 0, weight: 300 };

  test('does not ask again for a device that is gone, unless it names it', async () => {
    const blockIo = { throttleReadBpsDevices: [GONE], weightDevices: [GONE_PATH] };
    const { id } = await client.run(['sleep'], { name: 'runs', resources: { blockIo } });
    await client.create(['sleep'], { name: 'rests', resources: { blockIo } });
    const asked = { throttleWriteIopsDevices: [{ ...GONE, rate: 5 }] };
    for (const name of ['runs', 'rests']) {
      const { spec } = await client.update(name, { pids: { limit: 9 }, blockIo: asked });
      expect(spec?.resources?.blockIo).toMatchObject({ ...blockIo, ...asked });
    }
    const { throttleWriteIopsDevices } = asked;
    const named = throttleWriteIopsDevices.map(({ major, minor, rate }) => ({
      major,
      minor,
      rate,
    }));
    expect(limitsOf(host, id)).toEqual({
      pids: { limit: 9 },
      blockIo: { throttleWriteIopsDevices: named },
    });
  });

  test('that fails has the kernel as it was, but for a device that is gone', async () => {
    const resources = { pids: { limit: 5 }, blockIo: { throttleReadBpsDevices: [GONE] } };
    const { id } = await client.run(['sleep'], { name: 'box', resources });
    const update = client.update('box', { memory: { high: 1 }, pids: { limit: 9 } });
    await expect(update).rejects.toMatchObject({ reason: 'RESOURCE_UNSUPPORTED' });
    expect(limitsOf(host, id)).toEqual({ pids: { limit: 5 }, blockIo: {} });
  });

  test('is not lost on a service that cannot be reached: the kernel follows the record', async () => {
    const { id } = await client.run(['sleep'], { name: 'box', resources: { pids: { limit: 5 } } });
    await host.stopFake('cgroup');
    const update = client.update('box', { pids: { limit: 9 } });
    await expect(update).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    expect((await client.get('box')).spec?.resources?.pids?.limit).toBe(5);
    await host.startFake('cgroup');
    await waitFor(() => noIntents(id).length === 0);
    expect(limitsOf(host, id)).toMatchObject({ pids: { limit: 5 } });
  });
});

describe('a start with devices and a score', () => {
  let host: FakeHost;
  afterEach(() => host.close());

  test('gives the program both, and the cgroup a rule', async () => {
    host = await FakeHost.start();
    const devices = [{ pathOnHost: '/dev/null', pathInContainer: '/dev/void', access: 'r' }];
    const { id } = await host.client.run(['sleep'], { devices, oomScoreAdj: -5 });
    const { devices: rules } = limitsOf(host, id) as { devices: object[] };
    expect(rules).toEqual([{ allow: true, type: 'c', major: 1, minor: 3, access: 'rm' }]);
    const spec = host.executor.specs.get(id);
    expect(spec?.process?.oomScoreAdj).toBe(-5);
    expect(spec?.linux?.devices).toMatchObject([{ path: '/dev/void', major: 1, minor: 3 }]);
    const wrong = host.client.create(['sleep'], { devices: [{ pathOnHost: '/etc' }] });
    await expect(wrong).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});

describe('an engine that ends in an update', () => {
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

  test.each([
    ['engine.update.after-intent', 5],
    ['engine.update.after-kernel', 5],
    ['engine.update.after-record', 9],
  ])('at %s: record and kernel agree on %i', async (point, limit) => {
    host = await FakeHost.withoutEngine();
    const before = await startEngine(`${point}=exit`);
    const resources = { pids: { limit: 5 } };
    const { id } = await before.run(['sleep'], { name: 'box', resources });
    await expect(before.update('box', { pids: { limit: 9 } })).rejects.toThrow();
    await service.exited;
    const after = await startEngine();
    expect((await after.get('box')).spec?.resources?.pids?.limit).toBe(limit);
    await waitFor(() => {
      const { pids } = limitsOf(host, id) as { pids: { limit: number | string } };
      return Number(pids.limit) === limit;
    });
  });
});
