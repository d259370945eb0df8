import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { SnapshotsService } from '@teu/proto/snapshots';
import { DriverAddress } from '@teu/proto/storage';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { DriverClient } from './driver-client.js';
import { DriverSet } from './driver-set.js';

type Snapshots = Handlers<typeof SnapshotsService>;

const directory = mkdtempSync(join(tmpdir(), 'teu-d-'));
afterAll(() => rmSync(directory, { recursive: true }));
let path: string;
let client: DriverClient;
let stalls: number;
const endings: (() => unknown)[] = [];

beforeEach(() => {
  path = join(directory, 'driver.sock');
  stalls = 0;
  const address = DriverAddress.create({ name: 'some', address: `unix:${path}` });
  client = new DriverClient(address, { onStall: () => (stalls += 1) });
  endings.push(() => client.close());
});
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A driver with these handlers, and otherwise the answer that nothing is there. */
async function serve(handlers: Partial<Snapshots>): Promise<RpcServer> {
  const missing = async (): Promise<never> => {
    throw teuError('SNAPSHOT_NOT_FOUND', 'there is no such snapshot');
  };
  const names = Object.keys(SnapshotsService).map((name) => [name, missing]);
  const all = { ...Object.fromEntries(names), ...handlers } as Snapshots;
  const server = await startRpcServer({
    name: 'some',
    version: '0',
    address: `unix:${path}`,
    services: [implement(SnapshotsService, all)],
    log: silentLogger,
  });
  endings.push(() => server.close(0));
  return server;
}

/** Takes connections and says nothing, ever. */
async function hangFromTheStart(): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  endings.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
}

const mounts = [{ type: 'bind', source: '/x', target: '', options: ['rbind'] }];
const never = () => new Promise<never>(() => undefined);
const unavailable = { reason: 'DRIVER_UNAVAILABLE', metadata: { driver: 'some' } };

describe('a driver that hangs', () => {
  test('costs one deadline, and then nothing for a while', async () => {
    await serve({ mounts: never });
    const first = client.mounts('a', { timeoutMs: 50 });
    await expect(first).rejects.toThrow(/^the storage driver some gave no answer in 0\.\d s$/);
    expect(client.isStalled).toBe(true);
    // Without a deadline of its own this would take ten seconds.
    await expect(client.mounts('a')).rejects.toMatchObject(unavailable);
    await expect(client.mounts('a')).rejects.toThrow(/a moment ago; it is asked again in [12] s/);
    expect(stalls).toBe(1);
  });

  test('is found to answer again', async () => {
    let hangs = true;
    await serve({ mounts: () => (hangs ? never() : Promise.resolve({ mounts })) });
    await expect(client.mounts('a', { timeoutMs: 50 })).rejects.toMatchObject(unavailable);
    hangs = false;
    await vi.waitFor(() => client.mounts('a'), { timeout: 10_000 });
    expect(client.isStalled).toBe(false);
    expect(await client.mounts('a')).toEqual(mounts);
  });

  test('does not answer at all', async () => {
    await hangFromTheStart();
    const call = { timeoutMs: 100 };
    await expect(client.stat('a', call)).rejects.toMatchObject(unavailable);
    await expect(client.probe(call)).rejects.toMatchObject(unavailable);
  });

  test(
    'is not waited for by long work, if it answers nothing else either',
    { timeout: 30_000 },
    async () => {
      await serve({ commit: never, stat: never });
      await expect(client.commit('a', 'b')).rejects.toMatchObject(unavailable);
      expect(stalls).toBe(1);
    },
  );

  test('is waited for by long work, if it answers others', { timeout: 30_000 }, async () => {
    const work = Promise.withResolvers<Record<string, never>>();
    let questions = 0;
    const stat = async (): Promise<never> => {
      questions += 1;
      if (questions === 2) work.resolve({});
      throw teuError('SNAPSHOT_NOT_FOUND', 'there is no such snapshot');
    };
    await serve({ commit: () => work.promise, stat });
    await client.commit('a', 'b');
    expect(client.isStalled).toBe(false);
  });
});

describe('a driver that is away', () => {
  test('is named', async () => {
    await expect(client.stat('a')).rejects.toThrow('the storage driver some cannot be reached');
    expect(client.isStalled).toBe(false);
  });

  test('is waited for while it starts', async () => {
    const asked = client.stat('a');
    await serve({});
    expect(await asked).toBeUndefined();
  });

  test('in the middle of a call is asked again', async () => {
    const died = Promise.withResolvers<undefined>();
    const first = await serve({
      mounts: () => {
        died.resolve(undefined);
        return never();
      },
    });
    const asked = client.mounts('a');
    await died.promise;
    await first.close(0);
    await serve({ mounts: async () => ({ mounts }) });
    expect(await asked).toEqual(mounts);
  });
});

test('what a driver says passes, and means that it answers', async () => {
  await serve({});
  await expect(client.mounts('a')).rejects.toMatchObject({ reason: 'SNAPSHOT_NOT_FOUND' });
  expect(await client.stat('a')).toBeUndefined();
  expect(await client.describe()).toBeUndefined();
  expect(await client.probe()).toBeUndefined();
});

test('a call that its caller gives up tells nothing of the driver', async () => {
  await serve({ mounts: never, prepare: never });
  for (const call of [
    (signal: AbortSignal) => client.mounts('a', { signal }),
    (signal: AbortSignal) => client.prepare({ key: 'a', parent: '' }, { signal }),
  ]) {
    const giving = new AbortController();
    const asked = call(giving.signal);
    giving.abort();
    await expect(asked).rejects.toMatchObject({ reason: 'CANCELLED' });
  }
  expect([client.isStalled, stalls]).toEqual([false, 0]);
});

test('drivers that stay the same keep their connection when the list is replaced', () => {
  const set = new DriverSet();
  endings.push(() => set.close());
  const at = (name: string, file: string): DriverAddress =>
    DriverAddress.create({ name, address: `unix:/${file}.sock` });
  set.replace([at('a', '1'), at('b', '2')]);
  const [a, b] = [set.get('a'), set.get('b')];
  set.replace([at('a', '1'), at('b', '3'), at('c', '4')]);
  expect(set.get('a')).toBe(a);
  expect(set.get('b')).not.toBe(b);
  expect(() => set.get('d')).toThrow('there is no storage driver "d"; there are: a, b, c');
  set.replace([]);
  expect(() => set.get('a')).toThrow('there are none');
});
