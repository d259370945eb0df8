import { runProgram, tempDir } from '@teu/testing';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

// What the lab promises that a host may lack; README.md has the list.

const read = (path: string): string => readFileSync(path, 'utf8').trim();
const words = (path: string): string[] => read(path).split(/[\s,]+/);

async function succeed(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args);
  expect({ code, stderr }, `${program} ${args.join(' ')}`).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('the kernel is Debian’s', async () => {
  expect(await succeed('uname', '-r')).toMatch(/^6\.12\..*\+deb12-cloud-amd64\n$/);
});

test('cgroups are of version 2 with all controllers', () => {
  const all = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'];
  expect(words('/sys/fs/cgroup/cgroup.controllers')).toEqual(expect.arrayContaining(all));
  expect(words('/sys/fs/cgroup/cgroup.subtree_control')).toEqual(expect.arrayContaining(all));
});

test('AppArmor is in force', () => {
  expect(read('/sys/module/apparmor/parameters/enabled')).toBe('Y');
  expect(words('/sys/kernel/security/lsm')).toContain('apparmor');
});

test('device-mapper makes thin pools', async () => {
  await succeed('modprobe', 'dm_thin_pool');
  const targets = await succeed('dmsetup', 'targets');
  expect(targets).toMatch(/^thin-pool /m);
  expect(targets).toMatch(/^thin /m);
});

test('netem delays packets', async () => {
  await succeed('ip', 'link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far');
  try {
    await succeed('tc', 'qdisc', 'add', 'dev', 'near', 'root', 'netem', 'delay', '50ms');
    expect(await succeed('tc', 'qdisc', 'show', 'dev', 'near')).toMatch(/netem .*delay 50ms/);
  } finally {
    await succeed('ip', 'link', 'del', 'near');
  }
});

test('XFS limits projects on the scratch disk', async () => {
  using directory = tempDir();
  await succeed('mkfs.xfs', '-q', '-f', '/dev/vda');
  await succeed('mount', '-o', 'prjquota', '/dev/vda', directory.path);
  const state = await succeed('xfs_quota', '-x', '-c', 'state -p', directory.path);
  expect(state).toMatch(/Enforcement: ON/);
});
