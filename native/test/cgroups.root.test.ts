import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, type MountPlan } from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, mount, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

const HIERARCHIES = ['memory', 'pids', 'cpu,cpuacct'].filter((name) =>
  existsSync(`/sys/fs/cgroup/${name}/tasks`),
);

describe.skipIf(HIERARCHIES.length === 0)('cgroup v1', () => {
  let scratch: Scratch;
  let groups: string[];
  beforeEach(() => {
    scratch = makeScratch();
    const name = scratch.directory.split('/').at(-1) ?? '';
    groups = HIERARCHIES.map((hierarchy) => `/sys/fs/cgroup/${hierarchy}/${name}`);
    for (const group of groups) mkdirSync(group);
  });
  afterEach(() => {
    for (const group of groups) rmdirSync(group);
    scratch.dispose();
  });

  const locked = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
  const cgroupMounts = (): MountPlan[] => [
    mount('tmpfs', '/sys/fs/cgroup', locked, 'mode=755'),
    ...HIERARCHIES.map((name) => mount('cgroup', `/sys/fs/cgroup/${name}`, locked, name)),
  ];

  it('is joined before anything runs, and seen as its own root', async () => {
    const plan = containerPlan(scratch, processPlan(['sh', '-c', 'cat /proc/self/cgroup']));
    plan.cgroup.v1TasksFiles = groups.map((group) => join(group, 'tasks'));
    plan.hold = true;
    const { connection } = launch(plan);
    const { pid } = await connection.created();
    for (const group of groups) {
      expect(readFileSync(join(group, 'cgroup.procs'), 'utf8')).toBe(`${pid}\n`);
    }
    let text = '';
    const log = connection.attach({ from: 'start', blocking: true });
    await connection.start();
    for await (const record of log) text += record.data.toString();
    await connection.released();
    connection.close();
    for (const name of HIERARCHIES) expect(text).toMatch(new RegExp(`^\\d+:${name}:/$`, 'm'));
  });

  it('limits what the container can do', async () => {
    const pids = groups.find((group) => group.includes('/pids/'));
    if (pids === undefined) return;
    writeFileSync(join(pids, 'pids.max'), '3');
    const plan = containerPlan(
      scratch,
      processPlan(['sh', '-c', 'for i in 1 2 3 4 5; do sleep 1 & done; wait']),
    );
    plan.cgroup.v1TasksFiles = groups.map((group) => join(group, 'tasks'));
    expect((await runToEnd(plan)).stderr).toContain("can't fork");
  });

  it('is mounted read-only, links included', async () => {
    const plan = containerPlan(
      scratch,
      processPlan([
        'sh',
        '-c',
        'cat /sys/fs/cgroup/m/tasks | head -n 1; mkdir /sys/fs/cgroup/memory/x; ' +
          'echo /x > /sys/fs/cgroup/memory/release_agent; touch /sys/fs/cgroup/y',
      ]),
    );
    plan.cgroup.v1TasksFiles = groups.map((group) => join(group, 'tasks'));
    plan.mounts = [...plan.mounts, ...cgroupMounts()];
    plan.links = [...plan.links, { path: '/sys/fs/cgroup/m', target: 'memory' }];
    const { stdout, stderr } = await runToEnd(plan);
    expect(stdout).toBe('1\n');
    expect(stderr).toContain("can't create directory '/sys/fs/cgroup/memory/x': Read-only");
    expect(stderr).toContain('/sys/fs/cgroup/y: Read-only file system');
  });

  it('tells which file could not be joined', async () => {
    const plan = containerPlan(scratch, processPlan(['true']));
    plan.cgroup.v1TasksFiles = ['/sys/fs/cgroup/memory/no-such/tasks'];
    await expect(runToEnd(plan)).rejects.toMatchObject({
      step: 'cgroup',
      path: '/sys/fs/cgroup/memory/no-such/tasks',
      code: 'ENOENT',
    });
  });
});

describe('cgroup v2', () => {
  let scratch: Scratch;
  let tree: string;
  beforeEach(() => {
    scratch = makeScratch();
    tree = join(scratch.directory, 'cgroup2');
    mkdirSync(tree);
    execFileSync('mount', ['-t', 'cgroup2', 'none', tree]);
  });
  afterEach(() => {
    execFileSync('umount', [tree]);
    scratch.dispose();
  });

  it('is where the program is born', async () => {
    const group = join(tree, scratch.directory.split('/').at(-1) ?? '');
    mkdirSync(group);
    const plan = containerPlan(scratch, processPlan(['sh', '-c', 'grep ^0:: /proc/self/cgroup']));
    plan.cgroup.v2Directory = group;
    plan.hold = true;
    const { connection } = launch(plan);
    const { pid } = await connection.created();
    expect(readFileSync(join(group, 'cgroup.procs'), 'utf8')).toBe(`${pid}\n`);
    let text = '';
    const log = connection.attach({ from: 'start', blocking: true });
    await connection.start();
    for await (const record of log) text += record.data.toString();
    expect(text).toBe('0::/\n');
    await connection.released();
    connection.close();
    rmdirSync(group);
  });
});
