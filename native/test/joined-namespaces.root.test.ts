import { execFileSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch } from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

describe('a container in namespaces of others', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = makeScratch();
  });
  afterEach(() => scratch.dispose());

  it('joins a network namespace by its path', async () => {
    const name = `teu-n-${process.pid}`;
    execFileSync('ip', ['netns', 'add', name]);
    try {
      const plan = containerPlan(scratch, processPlan(['readlink', '/proc/self/ns/net']));
      plan.namespaces.network = { kind: 'path', path: `/var/run/netns/${name}` };
      const { stdout } = await runToEnd(plan);
      const inode = execFileSync('stat', ['-L', '-c', '%i', `/var/run/netns/${name}`]);
      expect(stdout).toBe(`net:[${inode.toString().trim()}]\n`);
    } finally {
      execFileSync('ip', ['netns', 'delete', name]);
    }
  });

  it('shares pid, ipc and network with another container, with mounts of its own', async () => {
    const first = launch(containerPlan(scratch, processPlan(['sleep', '1000'])));
    const target = (await first.connection.started()).process;
    const plan = containerPlan(
      scratch,
      processPlan(['sh', '-c', 'for n in pid ipc net; do readlink /proc/self/ns/$n; done; ps']),
    );
    plan.target = target;
    plan.namespaces.pid = { kind: 'target' };
    plan.namespaces.ipc = { kind: 'target' };
    plan.namespaces.network = { kind: 'target' };
    const { stdout } = await runToEnd(plan);
    for (const name of ['pid', 'ipc', 'net']) {
      expect(stdout).toContain(readlinkSync(`/proc/${target.pid}/ns/${name}`));
    }
    expect(stdout).toMatch(/1 +0? .*sleep 1000|1 .*sleep 1000/);
    await first.connection.signal(9);
    await first.connection.released();
    first.connection.close();
  });

  it('stays in the namespaces of the host that its plan names', async () => {
    const plan = containerPlan(scratch, processPlan(['sh', '-c', 'readlink /proc/self/ns/net']));
    plan.namespaces.network = { kind: 'host' };
    plan.mounts = plan.mounts.filter((mount) => mount.type !== 'sysfs');
    const { stdout } = await runToEnd(plan);
    expect(stdout.trim()).toBe(readlinkSync('/proc/self/ns/net'));
  });

  it('is refused a new user namespace, which is not built yet', async () => {
    const plan = containerPlan(scratch, processPlan(['true']));
    plan.namespaces.user = { kind: 'new' };
    plan.idMappings = { uid: [], gid: [] };
    await expect(runToEnd(plan)).rejects.toMatchObject({ step: 'namespaces', code: 'ENOSYS' });
  });
});
