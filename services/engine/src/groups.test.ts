import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeHost, type EngineClient } from './testing/index.js';

let host: FakeHost;
let client: EngineClient;
beforeEach(async () => {
  host = new FakeHost();
  host.warmStarts = 1;
  for (const name of ['image', 'overlay2', 'cgroup', 'executor'] as const) {
    await host.startFake(name);
  }
  await host.startEngine();
  client = host.client;
});
afterEach(() => host.close());

test('a container is made in its group, also at its later starts, and never from what has none', async () => {
  await client.run(['true'], {}, { wait: true });
  const { id, spec } = await client.run(['sleep'], { name: 'box', group: 'team' });
  expect(spec?.group).toBe('team');
  expect(host.cgroup.places.get(id)).toBe('team');
  await client.stop('box', 1000);
  host.cgroup.places.clear();
  await client.start('box');
  expect(host.cgroup.places.get(id)).toBe('team');
  expect((await client.get('box')).spec?.group).toBe('team');
});

test('a group that is not there is the reason of a failed start, and nothing is left', async () => {
  const run = client.run(['sleep'], { name: 'box', group: 'gone' });
  await expect(run).rejects.toMatchObject({ reason: 'GROUP_NOT_FOUND' });
  await client.create(['sleep'], { name: 'box', group: 'gone' });
  await expect(client.start('box')).rejects.toMatchObject({ reason: 'GROUP_NOT_FOUND' });
  expect((await client.get('box')).exit?.error).toMatch(/gone/);
  host.cgroup.known.add('gone');
  await client.start('box');
});

test('names that can never be right are refused', async () => {
  for (const group of ['../up', '/team', 'team/', 'a//b', 'a b', '.a', 'x/'.repeat(8) + 'x']) {
    const create = client.create(['sleep'], { group });
    await expect(create).rejects.toMatchObject({ reason: 'INVALID_ID' });
  }
});

test('nothing is begun in a container whose group is frozen', async () => {
  await client.run(['sleep'], { name: 'box', group: 'team' });
  host.cgroup.frozen.add('team');
  await expect(client.exec('box', ['true'])).rejects.toMatchObject({ reason: 'CONTAINER_PAUSED' });
  host.cgroup.frozen.delete('team');
  expect((await client.exec('box', ['true'])).exit?.exitCode).toBe(0);
});
