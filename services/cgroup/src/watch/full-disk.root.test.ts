import { loadConfig } from '@teu/config';
import { newContainerId } from '@teu/ids';
import { silentLogger } from '@teu/log';
import { CgroupServiceService as Service, type CgroupMembership } from '@teu/proto/cgroup';
import type { CgroupEvent } from '@teu/proto/event';
import { LinuxResources } from '@teu/proto/type';
import { connect, type RpcChannel } from '@teu/rpc';
import {
  loopFilesystem,
  requires,
  tempDir,
  waitFor,
  type LoopFilesystem,
  type TempDir,
} from '@teu/testing';
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupConfig } from '../config.js';
import { startServer, type CgroupServer } from '../server.js';
import { runInGroup } from '../testing/run-in-group.js';

/** Room for the reserve, which is only taken from a disk with more than 16 MiB. */
const DISK_BYTES = 40 << 20;
const FORK_MUCH = 'for i in 1 2 3 4 5; do sleep 0.1 & done; wait';
const LIMITS = LinuxResources.fromPartial({ pids: { limit: 4 } });
const PATIENCE = { timeoutMs: 60_000 };
/** What is written of one fills a few pages; the log of the database may have room for some of them. */
const CONTAINERS = 40;

describe.runIf(requires('root', 'cgroup_v1', 'loop', 'mkfs.ext4'))('on a disk that is full', () => {
  let disk: LoopFilesystem;
  let directory: TempDir;
  let server: CgroupServer;
  let channel: RpcChannel;
  let events: CgroupEvent[];
  let containers: Map<string, CgroupMembership>;
  /** How often writing has failed since it last succeeded. */
  let failures: number;

  const start = async (): Promise<void> => {
    const places = ['--run-dir', join(directory.path, 'r'), '--data-dir', join(disk.path, 'd')];
    const argv = [...places, '--event-window', '0s'];
    failures = 0;
    const log = {
      ...silentLogger,
      error: (_: unknown, text = '') => void (failures += text.includes('be written') ? 1 : 0),
      debug: (_: unknown, text = '') => void (failures += text.includes('be written') ? 1 : 0),
      info: (_: unknown, text = '') => void (failures *= text.includes('written again') ? 0 : 1),
    };
    events = [];
    server = await startServer(loadConfig(cgroupConfig, { env: {}, argv }), log, {
      onEvent: (event) => events.push(event),
    });
    channel = connect(server.address);
  };
  const stop = async (): Promise<void> => {
    channel.close();
    await server.close();
  };
  const forkMuchIn = (id: string): Promise<unknown> =>
    runInGroup(containers.get(id)!, FORK_MUCH).ended;
  const toldOf = (id: string): number =>
    events
      .filter((event) => event.containerId === id && event.limit === 'pids.max')
      .reduce((sum, { count }) => sum + count, 0);
  const countedIn = async (id: string): Promise<number> =>
    (await channel.unary(Service.getStats, { id })).stats!.pids!.limitHitCount;
  const isToldOf = (id: string): Promise<unknown> =>
    waitFor(async () => toldOf(id) === (await countedIn(id)), PATIENCE);

  beforeEach(async () => {
    disk = await loopFilesystem(DISK_BYTES);
    directory = tempDir();
    containers = new Map();
    await start();
    for (let n = 0; n < CONTAINERS; n += 1) {
      const id = newContainerId();
      const request = { id, resources: LIMITS, group: '' };
      containers.set(id, (await channel.unary(Service.createCgroup, request)).cgroup!.membership!);
    }
  });
  afterEach(async () => {
    rmSync(join(disk.path, 'filler'), { force: true });
    for (const id of containers.keys())
      await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    await stop();
    disk.remove();
    directory.remove();
  });

  it('what happens is told when there is room again, once', { timeout: 240_000 }, async () => {
    const reserve = join(disk.path, 'd/cgroup/state.db-reserve');
    const filler = join(disk.path, 'filler');
    const [first = '', ...others] = containers.keys();
    await forkMuchIn(first);
    await isToldOf(first);
    expect(existsSync(reserve)).toBe(true);
    const used = [first];
    // The reserve is given up first, and filled too; the database's log may have room for some more.
    for (const id of others) {
      used.push(id);
      fill(filler);
      await forkMuchIn(id);
      const isTold = async (): Promise<boolean> => toldOf(id) === (await countedIn(id));
      await waitFor(async () => failures > 0 || (await isTold()), PATIENCE);
      fill(filler);
      await waitFor(async () => failures > 1 || (await isTold()), PATIENCE);
      if (failures > 1) break;
    }
    expect(existsSync(reserve)).toBe(false);
    const [waiting = ''] = used.slice(-1);
    const before = failures;
    await waitFor(() => failures > before, PATIENCE);
    expect(await countedIn(waiting)).toBeGreaterThan(0);
    expect(toldOf(waiting)).toBe(0);

    rmSync(filler);
    for (const id of used) await isToldOf(id);
    const told = events.length;
    await stop();
    expect(rowsOf(join(disk.path, 'd/cgroup/state.db'))).toBe(told);
    await start();
    await forkMuchIn(first);
    await waitFor(() => toldOf(first) > 0, PATIENCE);
    expect(events.every(({ containerId }) => containerId === first)).toBe(true);
  });
});

/** Writes until nothing more goes in, behind what it has. */
function fill(path: string): void {
  const fd = openSync(path, 'a');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  } finally {
    closeSync(fd);
  }
}

/** Number of events that are to be published. */
function rowsOf(path: string): number {
  const database = new DatabaseSync(path);
  const { count } = database.prepare('SELECT COUNT(*) AS count FROM outbox').get() as {
    count: number;
  };
  database.close();
  return count;
}
