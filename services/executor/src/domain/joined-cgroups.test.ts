import { expect, it } from 'vitest';
import { joinedCgroups } from './joined-cgroups.js';

const MOUNTS = `32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,xattr,cpuset
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const cgroup = { v1TasksFiles: ['/sys/fs/cgroup/cpu/teu/x/abc/tasks'], v2Directory: null };

it('joins what the first process has been brought into', () => {
  const ofProcess = '3:cpuset:/teu/x/abc\n1:cpu,cpuacct:/teu/x/abc\n0::/teu/x/abc\n';
  expect(joinedCgroups(cgroup, { ofProcess, mountinfo: () => MOUNTS })).toEqual({
    v1TasksFiles: ['/sys/fs/cgroup/cpu/teu/x/abc/tasks', '/sys/fs/cgroup/cpuset/teu/x/abc/tasks'],
    v2Directory: null,
  });
});

it('looks no further where nothing has changed', () => {
  const ofProcess = '3:cpuset:/\n1:cpu,cpuacct:/teu/x/abc\n0::/teu/x/abc\n';
  const mountinfo = (): string => {
    throw new Error('not needed');
  };
  expect(joinedCgroups(cgroup, { ofProcess, mountinfo })).toBe(cgroup);
});
