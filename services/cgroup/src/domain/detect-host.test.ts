import { HierarchyMode } from '@teu/proto/cgroup';
import { describe, expect, it } from 'vitest';
import { detectHost } from './detect-host.js';
import { isOnDemand } from './host.js';

const CGROUPS = `#subsys_name\thierarchy\tnum_cgroups\tenabled
cpuset\t3\t1\t1
cpu\t1\t1\t1
cpuacct\t1\t1\t1
memory\t4\t14\t1
devices\t5\t1\t1
freezer\t6\t1\t1
pids\t8\t1\t1
net_cls\t0\t1\t1
blkio\t7\t1\t0
`;

const V1 = `24 1 0:22 / /proc rw - proc proc rw
34 31 0:32 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
31 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
33 30 0:31 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory
36 30 0:33 / /sys/fs/cgroup/net_cls rw - cgroup cgroup rw,net_cls
35 30 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
`;

const detect = (mountinfo: string, v2Controllers = '') =>
  detectHost({ mountinfo, cgroups: CGROUPS, readControllers: () => v2Controllers });

describe('detection of hierarchies', () => {
  it('finds those of version 1 and puts the freezer last', () => {
    const host = detect(V1);
    expect(host.mode).toBe(HierarchyMode.HIERARCHY_MODE_V1);
    expect(host.hierarchies).toEqual([
      {
        version: 1,
        mountPath: '/sys/fs/cgroup/cpu,cpuacct',
        controllers: ['cpu', 'cpuacct'],
        mountData: 'cpu,cpuacct',
      },
      {
        version: 1,
        mountPath: '/sys/fs/cgroup/my memory',
        controllers: ['memory'],
        mountData: 'memory',
      },
      {
        version: 1,
        mountPath: '/sys/fs/cgroup/freezer',
        controllers: ['freezer'],
        mountData: 'freezer',
      },
    ]);
  });

  it('uses a version 2 tree beside them for what it has, be it no controller', () => {
    const beside = `${V1}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n`;
    const empty = detect(beside, 'rdma\n');
    expect(empty.mode).toBe(HierarchyMode.HIERARCHY_MODE_HYBRID);
    expect(empty.hierarchies.filter(({ version }) => version === 2)).toEqual([
      { version: 2, mountPath: '/sys/fs/cgroup/unified', controllers: [], mountData: '' },
    ]);
    const rare = detect(beside, 'hugetlb\n').hierarchies;
    expect(rare.find(({ version }) => version === 2)?.controllers).toEqual(['hugetlb']);
    expect(rare.some(isOnDemand)).toBe(false);
    const readOnly = detect(beside.replace('unified rw', 'unified ro'));
    expect(readOnly.hierarchies.every(({ version }) => version === 1)).toBe(true);
    const shared = detect(beside, 'pids io hugetlb\n');
    expect(shared.hierarchies.find(({ version }) => version === 2)).toEqual({
      version: 2,
      mountPath: '/sys/fs/cgroup/unified',
      controllers: ['pids', 'io', 'hugetlb'],
      mountData: '',
    });
    expect(shared.hierarchies.at(-1)?.controllers).toEqual(['freezer']);
  });

  it('finds a version 2 host', () => {
    const only = '30 1 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';
    const host = detect(only, 'cpuset cpu io memory pids\n');
    expect(host.mode).toBe(HierarchyMode.HIERARCHY_MODE_V2);
    expect(host.hierarchies.map(({ controllers }) => controllers)).toEqual([
      ['cpuset', 'cpu', 'io', 'memory', 'pids'],
    ]);
  });

  it('takes a hierarchy once, however often it is mounted', () => {
    const tree =
      '41 31 0:38 / /a rw - cgroup2 cgroup2 rw\n45 31 0:38 / /b rw - cgroup2 cgroup2 rw\n';
    const twice = `${V1}44 31 0:32 / /mnt/freezer rw - cgroup cgroup rw,freezer\n${tree}`;
    expect(detect(twice).hierarchies).toHaveLength(4);
  });

  it('cannot use a version 2 tree without controllers alone', () => {
    expect(detect('30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n').hierarchies).toEqual([]);
  });

  it('finds nothing on a host without cgroups', () => {
    const host = detect('24 1 0:22 / /proc rw - proc proc rw\n');
    expect(host).toEqual({ mode: HierarchyMode.HIERARCHY_MODE_UNSPECIFIED, hierarchies: [] });
  });
});
