import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ContainerState, type Container } from '@teu/proto/engine';
import { OomKill, OomScope } from '@teu/proto/type';
import { waitFor } from '@teu/testing';
import { FakeHost, type EngineClient } from './testing/index.js';

const NOTHING = { snapshots: [], cgroups: [], processes: [] };
let host: FakeHost;
let client: EngineClient;
beforeEach(async () => {
  host = await FakeHost.start();
  client = host.client;
});
afterEach(() => host.close());

describe('run', () => {
  test('with wait and auto-remove answers with the exit and leaves nothing', async () => {
    const container = await client.run(['exit', '7'], { autoRemove: true }, { wait: true });
    expect(container.state).toBe(ContainerState.CONTAINER_STATE_EXITED);
    expect(container.exit).toMatchObject({ exitCode: 7, signal: 0, oomKilled: false, error: '' });
    await expect(client.get(container.id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    await host.settled();
    expect(host.holdings()).toEqual(NOTHING);
    expect(await client.actions(container.id)).toEqual(['CREATED', 'STARTED', 'EXITED', 'REMOVED']);
  });

  test('tells where the time of the start went', async () => {
    const { startTrace } = await client.run(['sleep']);
    const names = startTrace?.phases.map((phase) => phase.name);
    expect(names).toEqual(
      expect.arrayContaining(['image', 'record', 'prepare', 'cgroup', 'launch', 'launch.clone']),
    );
  });

  test('hands the executor a spec with the defaults of image and engine', async () => {
    const { id } = await client.run(['sleep'], { env: ['A=b'], hostname: 'box', terminal: true });
    const spec = host.executor.specs.get(id);
    expect(spec?.process).toMatchObject({ args: ['sleep'], cwd: '/', terminal: true });
    expect(spec?.process?.env).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=box',
      'TERM=xterm',
      'LANG=C',
      'A=b',
    ]);
    expect(spec?.linux?.cgroups?.v1TasksPaths).toEqual([`/cg/${id}/tasks`]);
    expect(spec?.root?.mounts[0]?.source).toBe(`/fake/container/${id}`);
    expect(spec?.mounts.map((mount) => mount.destination)).toEqual([
      '/etc/hostname',
      '/etc/hosts',
      '/etc/resolv.conf',
    ]);
  });

  test('that fails leaves nothing but its story', async () => {
    const failed = client.run(['missing'], { name: 'web' });
    await expect(failed).rejects.toMatchObject({ reason: 'PROGRAM_NOT_FOUND' });
    await host.settled();
    expect(host.holdings()).toEqual(NOTHING);
    expect((await client.list({ all: true })).containers).toEqual([]);
    const events = await client.events();
    expect(events.slice(1).map((line) => line.sequence)).toEqual([1, 2, 3]);
    expect((await client.run(['true'], { name: 'web' })).name).toBe('web');
  });

  test('of a name that is taken says who has it', async () => {
    const { id } = await client.run(['sleep'], { name: 'web' });
    await expect(client.run(['true'], { name: 'web' })).rejects.toMatchObject({
      reason: 'CONTAINER_NAME_IN_USE',
      metadata: { container: id },
    });
  });

  test('follows a name that has moved to another image since', async () => {
    await client.run(['true'], {}, { wait: true });
    host.driver.committed.add('sha256:newer');
    await host.image.put('busybox', 'sha256:newer', { env: ['LANG=new'] });
    const { id, imageId, spec } = await client.run(['sleep']);
    expect(imageId).toBe('sha256:sha256:newer');
    expect(spec?.env).toEqual(['LANG=new']);
    expect(host.driver.active.get(`container/${id}`)).toBe('sha256:newer');
  });

  test('of an image that was removed since says so and leaves nothing', async () => {
    await client.run(['true'], { autoRemove: true }, { wait: true });
    await host.image.delete('busybox');
    await expect(client.run(['true'])).rejects.toMatchObject({ reason: 'IMAGE_NOT_FOUND' });
    await host.settled();
    expect(host.holdings()).toEqual(NOTHING);
  });

  test.each([
    [{ image: '' }, 'INVALID_ARGUMENT'],
    [{ name: '-x' }, 'INVALID_ID'],
    [{ hostname: 'a\nb' }, 'INVALID_ID'],
    [{ user: 'root\nevil::0:0' }, 'INVALID_ARGUMENT'],
    [{ env: ['HOME=/root\nx'] }, 'INVALID_ARGUMENT'],
    [{ env: ['=x'] }, 'INVALID_ARGUMENT'],
    [{ workingDir: 'rel' }, 'INVALID_ARGUMENT'],
    [{ network: 7 as never }, 'INVALID_ARGUMENT'],
    [{ driver: 'zfs' }, 'DRIVER_NOT_FOUND'],
    [{ stopSignal: 'SIGNOSUCH' }, 'INVALID_ARGUMENT'],
    [{ resources: { memory: { limit: 0 } } }, 'INVALID_ARGUMENT'],
  ])('refuses %j', async (spec, reason) => {
    await expect(client.run(['true'], spec)).rejects.toMatchObject({ reason });
    expect(host.holdings()).toEqual(NOTHING);
  });
});

describe('create and start', () => {
  test('are two steps: a layer first, a process later', async () => {
    const { id } = await client.create(['sleep'], { name: 'web' });
    expect(host.holdings()).toEqual({ ...NOTHING, snapshots: [`container/${id}`] });
    const started = await client.start('web');
    expect(started.state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
    expect(started.pid).toBe(host.executor.find({ containerId: id, execId: '' })?.pid);
    expect((await client.start(id)).pid).toBe(started.pid);
    expect(await client.actions(id)).toEqual(['CREATED', 'STARTED']);
  });

  test('of an ended container runs it again on the same layer', async () => {
    const { id } = await client.run(['sleep']);
    await client.stop(id);
    const again = await client.start(id);
    expect(again).toMatchObject({ state: ContainerState.CONTAINER_STATE_RUNNING, exit: undefined });
    await client.stop(id);
    expect(host.driver.prepares).toBe(1);
    await client.remove(id);
    await host.settled();
    expect(host.holdings()).toEqual(NOTHING);
  });

  test('a start that fails leaves the container as it was, and says why', async () => {
    const { id } = await client.create(['missing']);
    await expect(client.start(id)).rejects.toMatchObject({ reason: 'PROGRAM_NOT_FOUND' });
    const container = await client.get(id);
    expect(container.state).toBe(ContainerState.CONTAINER_STATE_CREATED);
    expect(container.exit).toMatchObject({
      exitCode: 127,
      error: expect.stringMatching(/missing/) as string,
    });
    await host.settled();
    expect(host.holdings()).toEqual({ ...NOTHING, snapshots: [`container/${id}`] });
  });
});

describe('stop, kill and remove', () => {
  test('stop sends the stop signal and waits', async () => {
    const { id } = await client.run(['sleep']);
    const { exit } = await client.stop(id);
    expect(exit).toMatchObject({ exitCode: 143, signal: 15 });
    expect((await client.stop(id)).exit).toEqual(exit);
    expect(await client.actions(id)).toEqual(['CREATED', 'STARTED', 'KILLED', 'EXITED']);
  });

  test('stop kills what does not listen', async () => {
    const { id } = await client.run(['stubborn']);
    expect((await client.stop(id, 30)).exit).toMatchObject({ exitCode: 137, signal: 9 });
  });

  test('kill sends any signal, and only to what runs', async () => {
    const { id } = await client.run(['stubborn']);
    await client.kill(id, 'HUP');
    expect(host.executor.find({ containerId: id, execId: '' })?.signals).toEqual([1]);
    await client.kill(id);
    expect((await client.wait(id)).exitCode).toBe(137);
    await expect(client.kill(id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_RUNNING' });
  });

  test('remove refuses a running container unless forced', async () => {
    const { id, name } = await client.run(['stubborn']);
    await expect(client.remove(id)).rejects.toMatchObject({ reason: 'CONTAINER_RUNNING' });
    expect(await client.remove(name, true)).toBe(id);
    await host.settled();
    expect(host.holdings()).toEqual(NOTHING);
    await expect(client.remove(id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
  });

  test('the name is free before what the container left is cleared away', async () => {
    await client.run(['true'], { name: 'web' }, { wait: true });
    await host.stopFake('overlay2');
    await client.remove('web');
    expect((await client.list({ all: true })).containers).toEqual([]);
    await host.startFake('overlay2');
    expect((await client.run(['true'], { name: 'web' })).name).toBe('web');
  });
});

describe('memory', () => {
  test('a container that was killed for want of it says so', async () => {
    host.executor.onLaunch = ({ containerId }) => void host.cgroup.oomKilled.add(containerId);
    const { id, exit } = await client.run(['exit', '137'], {}, { wait: true });
    expect(exit).toMatchObject({ exitCode: 137, oomKilled: true });
    expect(await client.actions(id)).toEqual(['CREATED', 'STARTED', 'OOM_KILLED', 'EXITED']);
  });

  test('also when only a child was killed and the program ended well', async () => {
    host.executor.onLaunch = ({ containerId }) => void host.cgroup.oomKilled.add(containerId);
    const { id } = await client.run(['true'], {}, { wait: true });
    await waitFor(async () => (await client.get(id)).exit?.oomKilled === true, { timeoutMs: 5000 });
    expect(await client.actions(id)).toContain('OOM_KILLED');
  });

  test('the exit and its event name what was killed: the program itself, if it was, or else the last one', async () => {
    const kill = (pid: number): OomKill =>
      OomKill.create({ pid, scope: OomScope.OOM_SCOPE_CONTAINER, processName: `p${pid}` });
    const unknown = OomKill.create({});
    const runAndKill = async (kills: (pid: number) => OomKill[]): Promise<Container> => {
      host.executor.onLaunch = ({ containerId, pid }) => {
        host.cgroup.oomKills.set(containerId, kills(pid));
      };
      return client.run(['exit', '137'], {}, { wait: true });
    };
    const own = await runAndKill((pid) => [unknown, kill(7), kill(pid)]);
    expect(own.exit).toMatchObject({ oomKilled: true });
    expect(own.exit?.oomKill?.processName).not.toBe('p7');
    const other = await runAndKill(() => [unknown, kill(8), kill(9)]);
    expect(other.exit).toMatchObject({ oomKilled: true, oomKill: kill(8) });
    const lost = await runAndKill(() => [unknown]);
    expect(lost.exit).toMatchObject({ oomKilled: true, oomKill: undefined });
    const events = await client.events({ container: other.id });
    const told = events.flatMap(({ event }) =>
      event?.payload?.$case === 'container' ? (event.payload.value.oomKill ?? []) : [],
    );
    expect(told).toEqual([kill(8)]);
    expect((await client.get(other.id)).exit?.oomKill).toEqual(kill(8));
  });

  test('what only the end of the cgroup told is added to the exit', async () => {
    const kill = OomKill.create({ pid: 5, scope: OomScope.OOM_SCOPE_HOST, processName: 'child' });
    host.executor.onLaunch = ({ containerId }) => {
      host.cgroup.oomKills.set(containerId, [kill]);
    };
    const { id } = await client.run(['true'], {}, { wait: true });
    await waitFor(async () => (await client.get(id)).exit?.oomKilled === true, { timeoutMs: 5000 });
    expect((await client.get(id)).exit).toMatchObject({ exitCode: 0, oomKill: kill });
  });

  test('the number of tasks is limited if nobody asks for another limit', async () => {
    const { spec } = await client.run(['sleep']);
    expect(spec?.resources?.pids?.limit).toBe(4096);
    const own = await client.run(['sleep'], { resources: { pids: { limit: -1 } } });
    expect(own.spec?.resources?.pids?.limit).toBe(-1);
  });
});

describe('references and lists', () => {
  test('a container is found by id, prefix and name', async () => {
    const { id } = await client.create(['sleep'], { name: 'web' });
    for (const reference of [id, id.slice(0, 5), 'web']) {
      expect((await client.get(reference)).id).toBe(id);
    }
    await expect(client.get('nosuch')).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    const others = await Promise.all(Array.from({ length: 20 }, () => client.create(['sleep'])));
    const first = others.map((other) => other.id[0]);
    const shared = first.find((digit, i) => first.indexOf(digit) !== i) ?? '';
    await expect(client.get(shared)).rejects.toMatchObject({ reason: 'AMBIGUOUS_REFERENCE' });
  });

  test('lists come newest first, in pages, by label', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      ids.unshift((await client.create(['sleep'], { labels: { n: String(i) } })).id);
    }
    expect((await client.list()).containers).toEqual([]);
    const one = await client.list({ all: true, pageSize: 3 });
    await client.remove(ids[3]!);
    const two = await client.list({ all: true, pageSize: 3, pageToken: one.nextPageToken });
    expect([...one.containers, ...two.containers].map(({ id }) => id)).toEqual(
      ids.filter((id) => id !== ids[3]),
    );
    expect(two.nextPageToken).toBe('');
    const labelled = await client.list({ all: true, labels: { n: '2' } });
    expect(labelled.containers).toHaveLength(1);
    expect((await client.list({ all: true, labels: { n: '' } })).containers).toHaveLength(4);
  });
});
