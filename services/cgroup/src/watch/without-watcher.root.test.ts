import { loadConfig } from '@teu/config';
import { newContainerId } from '@teu/ids';
import { silentLogger } from '@teu/log';
import { CgroupServiceService as Service, type Cgroup } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { LinuxResources, OomScope, type OomKill } from '@teu/proto/type';
import { connect, type RpcChannel } from '@teu/rpc';
import { oomReportRoom, requires, tempDir, waitFor, type TempDir } from '@teu/testing';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupConfig } from '../config.js';
import { startServer, type CgroupServer } from '../server.js';
import { runInGroup } from '../testing/run-in-group.js';

const EAT = 'dd if=/dev/zero of=/dev/null bs=100M count=1; true';
const LIMITS = { memory: { limit: 16 << 20, swap: 16 << 20 }, pids: { limit: 4 } };
const { CGROUP_ACTION_OOM_KILLED } = CgroupAction;

describe.runIf(requires('root', 'cgroup_v1'))('what happens unheard', () => {
  let directory: TempDir;
  let server: CgroupServer;
  let channel: RpcChannel;
  let events: CgroupEvent[];
  const id = newContainerId();

  const start = async (...flags: string[]): Promise<void> => {
    const places = { run: join(directory.path, 'r'), data: join(directory.path, 'd') };
    const argv = ['--run-dir', places.run, '--data-dir', places.data, ...flags];
    events = [];
    const config = loadConfig(cgroupConfig, { env: {}, argv });
    const onEvent = (event: CgroupEvent): void => void events.push(event);
    server = await startServer(config, silentLogger, { onEvent });
    channel = connect(server.address);
  };
  const stop = async (): Promise<void> => {
    channel.close();
    await server.close();
  };
  const create = async (): Promise<Cgroup> => {
    const request = { id, resources: LinuxResources.fromPartial(LIMITS), group: '' };
    return (await channel.unary(Service.createCgroup, request)).cgroup!;
  };
  const eatIn = async (cgroup: Cgroup): Promise<void> => {
    await oomReportRoom();
    await runInGroup(cgroup.membership!, EAT).ended;
  };
  const kills = async (): Promise<OomKill[]> =>
    (await channel.unary(Service.getStats, { id })).oomKills;
  const killEvents = (): CgroupEvent[] =>
    events.filter(({ action }) => action === CGROUP_ACTION_OOM_KILLED);

  beforeEach(() => {
    directory = tempDir();
  });
  afterEach(async () => {
    await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    await stop();
    directory.remove();
  });

  it('is told by the next start of the service, once, with its cause', async () => {
    await start();
    const cgroup = await create();
    await eatIn(cgroup);
    const [first] = await kills();
    await stop();
    await eatIn(cgroup);
    await start();
    await waitFor(() => killEvents().length > 0, { timeoutMs: 10_000 });
    expect(await kills()).toMatchObject([{ scope: OomScope.OOM_SCOPE_CONTAINER }, first]);
    expect(killEvents()).toMatchObject([{ containerId: id, count: 1 }]);
    const told = killEvents()[0]!.oomKill!;
    expect(told.pid).not.toBe(first!.pid);
    expect(told.killTime!.getTime()).toBeGreaterThan(first!.killTime!.getTime());
    // The program hears of what is new, too.
    await eatIn(cgroup);
    expect(await kills()).toHaveLength(3);
  });

  it('without the kernel log is counted, and told without a cause', async () => {
    await start('--kernel-log', 'false');
    const cgroup = await create();
    await eatIn(cgroup);
    expect(await kills()).toMatchObject([
      { scope: OomScope.OOM_SCOPE_UNSPECIFIED, containerId: id, pid: 0 },
    ]);
    expect(killEvents()).toMatchObject([
      { count: 1, oomKill: { scope: OomScope.OOM_SCOPE_UNSPECIFIED } },
    ]);
    // On version 1 neither inotify nor the log tells of forks; they are counted from time to time.
    await runInGroup(cgroup.membership!, 'for i in 1 2 3 4 5; do sleep 0.1 & done; wait').ended;
    await waitFor(() => events.some(({ limit }) => limit === 'pids.max'), {
      timeoutMs: 10_000,
    });
  });

  it('in an earlier run of the same container is none of the next one', async () => {
    await start();
    const cgroup = await create();
    await eatIn(cgroup);
    expect(await kills()).toHaveLength(1);
    await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    await create();
    expect(await kills()).toEqual([]);
  });
});
