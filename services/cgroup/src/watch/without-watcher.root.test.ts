import { loadConfig } from '@teu/config';
import { newContainerId } from '@teu/ids';
import { silentLogger } from '@teu/log';
import {
  CgroupServiceService as Service,
  GroupServiceService,
  type Cgroup,
} from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { LinuxResources, OomScope, type OomKill } from '@teu/proto/type';
import { connect, type RpcChannel } from '@teu/rpc';
import { oomReportRoom, requires, tempDir, waitFor, type TempDir } from '@teu/testing';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cgroupConfig } from '../config.js';
import { startServer, type CgroupServer } from '../server.js';
import { runInGroup } from '../testing/run-in-group.js';

const EAT = 'dd if=/dev/zero of=/dev/null bs=100M count=1; true';
const LIMITS = { memory: { limit: 16 << 20, swap: 16 << 20 }, pids: { limit: 4 } };
type Limits = Parameters<typeof LinuxResources.fromPartial>[0];
const FORK_MUCH = 'for i in 1 2 3 4 5; do sleep 0.1 & done; wait';
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
  /** Ends it with its state as it would be found if it had died before. */
  const die = async (): Promise<void> => {
    const data = join(directory.path, 'd');
    cpSync(data, `${data}.died`, { recursive: true });
    await stop();
    rmSync(data, { recursive: true });
    cpSync(`${data}.died`, data, { recursive: true });
  };
  const create = async (limits: Limits = LIMITS): Promise<Cgroup> => {
    const request = { id, resources: LinuxResources.fromPartial(limits), group: '' };
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
    await runInGroup(cgroup.membership!, FORK_MUCH).ended;
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

  it('is counted on where the service that ended was', async () => {
    const forksFailed = (): boolean => events.some(({ limit }) => limit === 'pids.max');
    await start('--event-window', '0s');
    const cgroup = await create();
    await runInGroup(cgroup.membership!, FORK_MUCH).ended;
    await waitFor(forksFailed, { timeoutMs: 20_000 });
    await stop();
    const told = events.reduce((sum, { count }) => sum + count, 0);
    await runInGroup(cgroup.membership!, FORK_MUCH).ended;
    await start('--event-window', '0s');
    await waitFor(forksFailed, { timeoutMs: 20_000 });
    const toldNow = events.reduce((sum, { count }) => sum + count, 0);
    const { stats } = await channel.unary(Service.getStats, { id });
    expect(told + toldNow).toBe(stats!.pids!.limitHitCount);
  });

  it('is told once again when the service died before the end of a window', async () => {
    await start('--event-window', '1h');
    const cgroup = await create();
    for (let n = 0; n < 2; n += 1) await eatIn(cgroup);
    expect(await kills()).toHaveLength(2);
    expect(killEvents()).toMatchObject([{ count: 1 }]);
    await die();
    await start('--event-window', '1h');
    await waitFor(() => killEvents().length > 0, { timeoutMs: 20_000 });
    expect(killEvents()).toMatchObject([{ count: 1, oomKill: (await kills())[0] }]);
  });

  it('of waiting for a quota is told by the next start, also what nobody had looked at', async () => {
    const looking = ['--throttle-interval', '100ms', '--throttle-share', '0.000001'];
    const throttled = (): number =>
      events
        .filter(({ action }) => action === CgroupAction.CGROUP_ACTION_THROTTLED)
        .reduce((sum, { count }) => sum + count, 0);
    const use = (cgroup: Cgroup): Promise<unknown> =>
      runInGroup(cgroup.membership!, "timeout 0.5 sh -c 'while :; do :; done'").ended;
    const counted = async (): Promise<number> =>
      (await channel.unary(Service.getStats, { id })).stats!.cpu!.throttledPeriodCount;
    await start('--event-window', '1h', ...looking);
    const cgroup = await create({ cpu: { quota: 2000, period: 20_000 } });
    await use(cgroup);
    await waitFor(() => throttled() > 0, { timeoutMs: 20_000 });
    await use(cgroup);
    const told = throttled();
    await die();
    await use(cgroup);
    await start('--event-window', '0s', ...looking);
    await waitFor(() => throttled() > 0, { timeoutMs: 20_000 });
    const total = await counted();
    await channel.unary(Service.deleteCgroup, { id, force: true, run: undefined });
    // Fewer than five periods at the end are not told.
    expect(told + throttled()).toBeLessThanOrEqual(total);
    expect(told + throttled()).toBeGreaterThan(total - 5);
  });

  it('in a group that was removed and made again is news', async () => {
    const name = 'again';
    const makeGroup = (limit: number): Promise<unknown> => {
      const resources = LinuxResources.fromPartial({ pids: { limit } });
      return channel.unary(GroupServiceService.createGroup, { name, resources, labels: {} });
    };
    const deleteTheGroup = (): Promise<unknown> =>
      channel.unary(GroupServiceService.deleteGroup, { name, recursive: false });
    await start();
    const { v1TasksPaths } = (await create()).membership!;
    await makeGroup(4);
    process.kill(server.watcherPid!, 'SIGKILL');
    await deleteTheGroup();
    // The next watcher looks for both, and finds this one.
    const forkMuchIn = async (directory: string, containerId: string): Promise<void> => {
      const paths = v1TasksPaths.map((path) => path.replace(`/${id}/`, `/${directory}/`));
      await runInGroup({ v1TasksPaths: paths, v2Directory: '', mounts: [] }, FORK_MUCH).ended;
      const isTold = (event: CgroupEvent): boolean =>
        event.limit === 'pids.max' && event.containerId === containerId;
      await waitFor(() => events.some(isTold), { timeoutMs: 20_000 });
    };
    await forkMuchIn(id, id);
    await makeGroup(3);
    await forkMuchIn(`g.${name}`, '');
    await deleteTheGroup();
  });
});
