import { join } from 'node:path';
import {
  requires,
  startService,
  tempDir,
  type RunningTestService,
  type TempDir,
  waitFor,
} from '@teu/testing';
import { readFileSync } from 'node:fs';
import { CgroupServiceService, type Cgroup } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CGROUP_FAILPOINTS } from './failpoints.js';
import { instanceOf } from './server.js';
import type { GroupProcess } from './testing/run-in-group.js';
import { GroupsProbe } from './testing/suite/groups/groups-probe.js';

const STEPS = CGROUP_FAILPOINTS.filter(
  (name) => name.startsWith('cgroup.join.') || name === 'cgroup.update.after-limits',
);
const ONE_PROCESSOR = LinuxResources.fromPartial({ cpu: { cpus: '0' } });
const LOOP = 'while :; do sleep 0.01; done';

// The service is killed at every step of bringing running processes into a hierarchy that they were not in (cpuset of
// version 1): none stands still after the next start, and the same limit holds for all of them when it is asked for again.
describe.runIf(requires('root', 'cgroup_v1'))('processes that a service was bringing there', () => {
  let directory: TempDir;
  let service: RunningTestService;
  let probe: GroupsProbe;
  let running: { cgroup: Cgroup; process: GroupProcess };

  const start = async (failpoint = ''): Promise<void> => {
    const [runDir, dataDir] = [join(directory.path, 'r'), join(directory.path, 'd')];
    const env = { TEU_FAILPOINTS: failpoint, TEU_NATS_URL: 'nats://127.0.0.1:9' };
    service = await startService('cgroup', { runDir, dataDir, env });
    const groupPath = `teu/${instanceOf(dataDir)}`;
    const { channel } = service;
    probe = new GroupsProbe({ channel, groupPath, close: () => service.stop() });
  };
  beforeEach(() => {
    directory = tempDir();
  });
  afterEach(async () => {
    try {
      await probe.remove(running.cgroup.id, true);
      await running.process.ended;
    } finally {
      await service.stop();
      directory.remove();
    }
  });

  /** Two shells in a container that is in no group, each with programs that come and go. */
  const run = async (): Promise<void> => {
    const cgroup = await probe.container('');
    running = { cgroup, process: probe.run(cgroup, `(${LOOP}) & ${LOOP}`) };
    await waitFor(async () => (await probe.cgroup(cgroup.id)).processCount > 2);
  };
  const limit = (): Promise<unknown> =>
    service.channel.unary(CgroupServiceService.updateCgroup, {
      ...{ id: running.cgroup.id, resources: ONE_PROCESSOR, replace: false },
    });

  /** Both shells are children of the test, or of such a child; their programs are gone before they could be read. */
  const processors = (): string[] => {
    const shell = running.process.child.pid!;
    const children = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim();
    return [shell, ...children.split(' ')].flatMap((pid) => {
      try {
        const text = readFileSync(`/proc/${pid}/status`, 'utf8');
        return /^Name:\tsh$/m.test(text)
          ? (/^Cpus_allowed_list:\t(.*)$/m.exec(text) ?? []).slice(1)
          : [];
      } catch {
        return [];
      }
    });
  };

  it.each(STEPS)('at %s', async (failpoint) => {
    await start(`${failpoint}=kill@1`);
    await run();
    await expect(limit()).rejects.toThrow();
    expect(await service.exited).toMatchObject({ signal: 'SIGKILL' });
    await start();
    expect((await probe.cgroup(running.cgroup.id)).frozen).toBe(false);
    await limit();
    expect((await probe.cgroup(running.cgroup.id)).frozen).toBe(false);
    // What a shell has just made is a shell too, for a moment.
    await waitFor(() => processors().join() === '0,0');
  });

  it('stand still if that was asked for before', async () => {
    await start('cgroup.join.after-moves=kill@1');
    await run();
    await service.channel.unary(CgroupServiceService.freezeCgroup, { id: running.cgroup.id });
    await expect(limit()).rejects.toThrow();
    await service.exited;
    await start();
    expect((await probe.cgroup(running.cgroup.id)).frozen).toBe(true);
  });
});
