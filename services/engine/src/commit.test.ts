import { ContainerTreeServiceService, CommitContainerRequest } from '@teu/proto/engine';
import { startService, waitFor, type RunningTestService } from '@teu/testing';
import { afterEach, expect, test } from 'vitest';
import { EngineClient, FakeHost } from './testing/index.js';

// A container that is committed stands still meanwhile, and goes on whatever happens. The image service of these tests
// knows no commits, which is a failure like any other.
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

const commit = (container: string, skipFreeze = false): Promise<unknown> =>
  service.channel.unary(
    ContainerTreeServiceService.commitContainer,
    CommitContainerRequest.create({ container, skipFreeze }),
  );

test('a commit that fails lets its container go on', async () => {
  host = await FakeHost.withoutEngine();
  const client = await startEngine();
  await client.run(['sleep'], { name: 'box' });
  await expect(commit('box')).rejects.toThrow();
  expect(host.cgroup.stills).toEqual(['freeze', 'thaw']);
  await expect(commit('box', true)).rejects.toThrow();
  expect(host.cgroup.stills).toHaveLength(2);
});

test('commits of one container come one after the other', async () => {
  host = await FakeHost.withoutEngine();
  const client = await startEngine();
  await client.run(['sleep'], { name: 'box' });
  await Promise.allSettled([commit('box'), commit('box')]);
  expect(host.cgroup.stills).toEqual(['freeze', 'thaw', 'freeze', 'thaw']);
});

test('a stopped container is not held', async () => {
  host = await FakeHost.withoutEngine();
  const client = await startEngine();
  await client.create(['sleep'], { name: 'box' });
  await expect(commit('box')).rejects.toThrow();
  expect(host.cgroup.stills).toEqual([]);
});

test('what an engine that was killed has left frozen goes on', async () => {
  host = await FakeHost.withoutEngine();
  const dying = await startEngine('engine.commit.after-freeze=exit');
  const { id } = await dying.run(['sleep'], { name: 'box' });
  await expect(commit('box')).rejects.toThrow();
  expect(await service.exited).toMatchObject({ code: 70 });
  expect(host.cgroup.frozen.has(id)).toBe(true);
  await startEngine();
  await waitFor(() => !host.cgroup.frozen.has(id), { what: 'the container to go on' });
  // It is not done again.
  await service.stop();
  await startEngine();
  expect(host.cgroup.stills.filter((still) => still === 'thaw')).toHaveLength(1);
});
