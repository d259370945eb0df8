import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { teuError } from '@teu/errors';
import { Container, ContainerState } from '@teu/proto/engine';
import { waitFor } from '@teu/testing';
import { checkedBody } from './store/checked-body.js';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.close());

const first = (containerId: string) => host.executor.find({ containerId, execId: '' })!;
const database = () => new DatabaseSync(join(host.directory, 'data', 'engine', 'state.db'));
const query = (sql: string) => {
  using db = database();
  db.exec(sql);
};

/** Puts containers into the state of an engine that does not run. */
function insert(containers: readonly Container[]): void {
  using db = database();
  const statement = db.prepare(
    `INSERT INTO containers (id, name, boot_id, body, checksum) VALUES (?, ?, '', ?, ?)`,
  );
  db.exec('BEGIN');
  for (const container of containers) {
    const { body, checksum } = checkedBody(Container, container);
    statement.run(container.id, container.name, body, checksum);
  }
  db.exec('COMMIT');
}

describe('exits are not lost', () => {
  test('when they happen while the engine is down', async () => {
    const { id } = await host.client.run(['sleep']);
    await host.stopEngine();
    first(id).end(42);
    await host.startEngine();
    expect((await host.client.wait(id)).exitCode).toBe(42);
    expect(await host.client.actions(id)).toEqual(['CREATED', 'STARTED', 'EXITED']);
  });

  test('also when the executor cannot say at first what still runs', async () => {
    const { id } = await host.client.run(['sleep']);
    await host.stopEngine();
    first(id).end(42);
    host.executor.onList = () => {
      host.executor.onList = () => undefined;
      throw teuError('RESOURCE_EXHAUSTED', 'too busy');
    };
    await host.startEngine();
    expect((await host.client.wait(id)).exitCode).toBe(42);
  });

  test('when they happen while the executor is down', async () => {
    const { id } = await host.client.run(['sleep']);
    const waiting = host.client.wait(id);
    await host.stopFake('executor');
    first(id).end(7);
    await host.startFake('executor');
    expect((await waiting).exitCode).toBe(7);
  });

  test('and those that nobody can tell are 255', async () => {
    const lost = await host.client.run(['sleep']);
    const forgotten = await host.client.run(['sleep']);
    const { execId } = await host.client.exec(forgotten.id, ['sleep'], false);
    await host.stopFake('executor');
    first(lost.id).end(0, 0, true);
    host.executor.processes.delete(`${forgotten.id}/`);
    host.executor.processes.delete(`${forgotten.id}/${execId}`);
    await host.startFake('executor');
    for (const { id } of [lost, forgotten]) {
      const exit = await host.client.wait(id);
      expect(exit).toMatchObject({ exitCode: 255, error: expect.stringMatching(/\w+/) as string });
    }
    await waitFor(async () => (await host.client.actions(forgotten.id)).includes('EXEC_EXITED'), {
      timeoutMs: 5_000,
    });
  });

  test('after a restart of the host everything counts as ended', async () => {
    const { id } = await host.client.run(['sleep'], { name: 'web' });
    await host.stopEngine();
    for (const name of ['executor', 'cgroup'] as const) await host.stopFake(name);
    query(`UPDATE containers SET boot_id = 'another'`);
    await host.startEngine();
    expect(await host.client.get('web')).toMatchObject({
      state: ContainerState.CONTAINER_STATE_EXITED,
      exit: { exitCode: 255, error: 'the host restarted' },
    });
    expect(await host.client.actions(id)).toEqual(['CREATED', 'STARTED', 'EXITED']);
  });

  test('news of an earlier run does not end a later one', async () => {
    const { id, pid } = await host.client.run(['sleep']);
    await host.client.stop(id);
    await host.client.start(id);
    const process = { ...first(id).describe(), pid };
    const exit = { exitCode: 1, signal: 0, exitTime: new Date(), lost: false };
    first(id).emit('exit');
    await host.client.exec(id, ['true']);
    expect({ ...process, exit }.pid).toBe(pid);
    expect((await host.client.get(id)).state).toBe(ContainerState.CONTAINER_STATE_RUNNING);
  });
});

describe('the state', () => {
  test('a damaged record is put aside, the others are there', async () => {
    const bad = await host.client.run(['sleep'], { name: 'bad' });
    const good = await host.client.run(['sleep'], { name: 'good' });
    await host.stopEngine();
    query(`UPDATE containers SET body = x'ffff' WHERE id = '${bad.id}'`);
    await host.startEngine();
    expect((await host.client.list()).containers.map(({ id }) => id)).toEqual([good.id]);
    await host.client.run(['sleep'], { name: 'bad' });
  });

  test('containers, names and positions survive a restart of the engine', async () => {
    const one = await host.client.run(['sleep'], { name: 'one' });
    const two = await host.client.create(['sleep'], { name: 'two' });
    await host.stopEngine();
    await host.startEngine();
    expect((await host.client.list({ all: true })).containers).toEqual([two, one]);
    await expect(host.client.run(['true'], { name: 'one' })).rejects.toMatchObject({
      reason: 'CONTAINER_NAME_IN_USE',
    });
    expect((await host.client.stop('one')).exit?.exitCode).toBe(143);
  });

  test('a thousand containers are read in well under ten seconds', async () => {
    const container = await host.client.create(['sleep'], { name: 'x0' });
    await host.stopEngine();
    const copies = Array.from({ length: 1000 }, (_, i) => ({
      ...container,
      id: String(i).padStart(64, '0'),
      name: `x${i + 1}`,
    }));
    insert(copies);
    const begin = performance.now();
    await host.startEngine();
    expect(performance.now() - begin).toBeLessThan(5_000);
    expect(host.engine.engine.registry.all()).toHaveLength(1001);
  });
});

describe('other services that are away', () => {
  test('cost only what needs them', async () => {
    const { id } = await host.client.run(['sleep'], { name: 'web' });
    for (const name of ['image', 'overlay2', 'cgroup', 'executor'] as const) {
      await host.stopFake(name);
    }
    await host.stopEngine();
    await host.startEngine();
    const { client } = host;
    expect((await client.list()).containers[0]?.id).toBe(id);
    expect((await client.get('web')).id).toBe(id);
    expect((await client.events()).length).toBeGreaterThan(2);
    const reason = 'UNAVAILABLE';
    await expect(client.run(['true'])).rejects.toMatchObject({ reason });
    await expect(client.exec(id, ['true'])).rejects.toMatchObject({ reason });
    expect((await client.list({ all: true })).containers).toHaveLength(1);
  });

  test('a driver that is away is named', async () => {
    await host.stopFake('overlay2');
    const failed = host.client.run(['true']);
    await expect(failed).rejects.toThrow(/overlay2/);
    await host.startFake('overlay2');
    await host.settled();
    expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
  });

  test('stop works without the cgroup service, and soon after a restart of the executor', async () => {
    const { id } = await host.client.run(['stubborn']);
    await host.stopFake('cgroup');
    await host.stopFake('executor');
    const stopping = host.client.stop(id, 20);
    await host.startFake('executor');
    expect((await stopping).exit?.exitCode).toBe(137);
  });
});
