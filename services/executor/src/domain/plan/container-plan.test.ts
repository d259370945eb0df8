import { isTeuError } from '@teu/errors';
import { MS_BIND, MS_PRIVATE, MS_RDONLY, MS_REC } from '@teu/mounts';
import { encodeLaunchPlan, type LaunchPlan } from '@teu/native';
import type { SeccompProfile } from '@teu/proto/executor';
import { NamespaceType, type Linux, type Process, type Spec } from '@teu/proto/executor';
import { describe, expect, it } from 'vitest';
import { exampleSpec } from '../../testing/example-spec.js';
import { planContainer } from './container-plan.js';

const ID = 'ab'.repeat(32);
const PLACES = { directory: '/data/c', socketPath: '/run/c.sock', mountPoint: '/data/rootfs' };

function planOf(spec: Spec | undefined): LaunchPlan {
  return planContainer(ID, spec, undefined, PLACES, 'nowhere').plan;
}

/** The example with something changed in it. */
function changed(change: (spec: Spec & { process: Process; linux: Linux }) => void): Spec {
  const spec = exampleSpec('/root/fs', ['true']) as Spec & { process: Process; linux: Linux };
  change(spec);
  return spec;
}

function refusal(spec: Spec | undefined): string {
  try {
    planOf(spec);
  } catch (error) {
    if (isTeuError(error)) return `${error.reason} ${error.metadata['field'] ?? ''}`;
    throw error;
  }
  return 'accepted';
}

const named = (username: string) => ({ uid: 0, gid: 0, additionalGids: [], username });

describe('the plan of a plain container', () => {
  const plan = planOf(exampleSpec('/root/fs', ['true']));

  it('is one that the native layer takes', () => {
    expect(encodeLaunchPlan(plan).length).toBeGreaterThan(1000);
  });

  it('mounts the root privately where all do', () => {
    expect(plan.rootfs).toEqual({
      path: '/data/rootfs',
      mounts: [{ type: 'bind', source: '/root/fs', target: '', flags: MS_BIND | MS_REC, data: '' }],
      readonly: false,
      propagation: MS_PRIVATE | MS_REC,
    });
  });

  it('has the customary file systems, in order, /sys read-only', () => {
    expect(plan.mounts.map(({ target }) => target)).toEqual([
      '/proc',
      '/dev',
      '/dev/pts',
      '/sys',
      '/dev/mqueue',
      '/dev/shm',
    ]);
    const sys = plan.mounts.find(({ target }) => target === '/sys');
    expect((sys?.flags ?? 0) & MS_RDONLY).toBe(MS_RDONLY);
  });

  it('gives Docker’s capabilities and none to inherit', () => {
    const docker = 0xa80425fbn;
    expect(plan.process.capabilities).toEqual({
      bounding: docker,
      effective: docker,
      permitted: docker,
      inheritable: 0n,
      ambient: 0n,
    });
  });

  it('has a filter', () => {
    expect(plan.process.seccomp?.filter.length).toBeGreaterThan(1000);
  });
});

describe('what a spec changes', () => {
  it('a mount of its own takes the place of a default one', () => {
    const spec = changed(({ mounts }) =>
      mounts.push({ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['size=1g'] }),
    );
    const shm = planOf(spec).mounts.filter(({ target }) => target === '/dev/shm');
    expect(shm).toMatchObject([{ data: 'size=1g' }]);
  });

  it('nothing is made in a /dev that comes from elsewhere', () => {
    const plan = planOf(
      changed(({ mounts }) =>
        mounts.push({ destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }),
      ),
    );
    expect(plan.devices).toEqual([]);
    expect(plan.links).toEqual([]);
    expect(plan.mounts.map(({ target }) => target)).toEqual(['/proc', '/sys', '/dev']);
  });

  it('hierarchies of version 1 stand read-only in a tmpfs, with the customary links', () => {
    const plan = planOf(
      changed(({ linux }) => {
        const destination = '/sys/fs/cgroup/cpu,cpuacct';
        const mount = { destination, type: 'cgroup', source: 'cgroup', options: ['cpu,cpuacct'] };
        linux.cgroups = {
          v1TasksPaths: ['/sys/fs/cgroup/cpu/x/tasks'],
          v2Directory: '',
          mounts: [mount],
        };
      }),
    );
    const below = plan.mounts.filter(({ target }) => target.startsWith('/sys/fs/cgroup'));
    expect(below.map(({ type, data }) => `${type} ${data}`)).toEqual([
      'tmpfs mode=755,size=64k',
      'cgroup cpu,cpuacct',
    ]);
    expect((below[1]?.flags ?? 0) & MS_RDONLY).toBe(MS_RDONLY);
    expect(plan.readonlyPaths).toContain('/sys/fs/cgroup');
    expect(plan.links).toContainEqual({ path: '/sys/fs/cgroup/cpu', target: 'cpu,cpuacct' });
    expect(plan.cgroup.v1TasksFiles).toEqual(['/sys/fs/cgroup/cpu/x/tasks']);
  });

  it('limits without end are the kernel’s infinity', () => {
    const spec = changed(({ process }) =>
      process.rlimits.push({ type: 'RLIMIT_CORE', soft: 0, hard: -1 }),
    );
    expect(planOf(spec).process.rlimits).toEqual([{ resource: 4, soft: 0n, hard: 2n ** 64n - 1n }]);
  });

  it('a name is looked up in the container, ids are taken as they are', () => {
    const byName = changed(({ process }) => (process.user = named('www:data')));
    expect(planOf(byName).process.user).toEqual({
      kind: 'name',
      name: 'www:data',
      additionalGids: [],
    });
    const byId = changed(({ process }) => {
      process.user = { uid: 5, gid: 6, additionalGids: [7], username: '' };
    });
    expect(planOf(byId).process.user).toEqual({ kind: 'ids', uid: 5, gid: 6, additionalGids: [7] });
  });
});

const rlimit = (type: string, soft: number, hard: number) =>
  changed(({ process }) => process.rlimits.push({ type, soft, hard }));
const mount = (type: string, source: string, destination: string, ...options: string[]) =>
  changed(({ mounts }) => mounts.push({ type, source, destination, options }));
const sysctl = (key: string, value = '1') =>
  changed(({ linux }) => {
    linux.sysctl = { [key]: value };
  });
const device = (path: string, type: string, major: number, minor: number, fileMode = 0o666) =>
  changed(({ linux }) =>
    linux.devices.push({ path, type, major, minor, fileMode, uid: 0, gid: 0 }),
  );

/** A22, A12, A13, A11: what is refused, and the path that the refusal names. */
const REFUSED: [string, Spec | undefined, string][] = [
  ['no spec', undefined, 'spec'],
  ['no process', changed((spec) => ((spec as Spec).process = undefined)), 'spec.process'],
  ['no program', changed(({ process }) => (process.args = [])), 'spec.process.args'],
  ['an empty program', changed(({ process }) => (process.args = [''])), 'spec.process.args'],
  [
    'a NUL in an argument',
    changed(({ process }) => process.args.push('a\0b')),
    'spec.process.args[1]',
  ],
  [
    'a variable without name',
    changed(({ process }) => process.env.push('=x')),
    'spec.process.env[1]',
  ],
  ['a relative directory', changed(({ process }) => (process.cwd = 'x')), 'spec.process.cwd'],
  ['no directory', changed(({ process }) => (process.cwd = '')), 'spec.process.cwd'],
  ['a directory with ..', changed(({ process }) => (process.cwd = '/a/../b')), 'spec.process.cwd'],
  [
    'an unknown capability',
    changed(({ process }) => process.capabilities?.bounding.push('CAP_NOSUCH')),
    'spec.process.capabilities.bounding[14]',
  ],
  [
    'a capability of an object’s prototype',
    changed(({ process }) => process.capabilities?.bounding.push('constructor')),
    'spec.process.capabilities.bounding[14]',
  ],
  [
    'a capability outside the bounding set',
    changed(({ process }) => process.capabilities?.permitted.push('CAP_SYS_ADMIN')),
    'spec.process.capabilities.permitted',
  ],
  [
    'an ambient capability that is not inheritable',
    changed(({ process }) => process.capabilities?.ambient.push('CAP_CHOWN')),
    'spec.process.capabilities.ambient',
  ],
  ['an unknown limit', rlimit('RLIMIT_NOSUCH', 1, 1), 'spec.process.rlimits[0].type'],
  ['a soft limit above the hard one', rlimit('RLIMIT_CPU', 2, 1), 'spec.process.rlimits[0].soft'],
  ['an endless soft limit', rlimit('RLIMIT_CPU', -1, 1), 'spec.process.rlimits[0].soft'],
  ['a negative limit', rlimit('RLIMIT_CPU', -2, 1), 'spec.process.rlimits[0].soft'],
  [
    'an OOM score',
    changed(({ process }) => (process.oomScoreAdj = 1001)),
    'spec.process.oom_score_adj',
  ],
  [
    'a size without terminal',
    changed(({ process }) => (process.consoleSize = { height: 1, width: 1 })),
    'spec.process.console_size',
  ],
  [
    'a name and ids',
    changed(({ process }) => (process.user = { ...named('x'), uid: 1 })),
    'spec.process.user.username',
  ],
  [
    'a newline in a user',
    changed(({ process }) => (process.user = named('a\nb'))),
    'spec.process.user.username',
  ],
  [
    'an id of more than 31 bits',
    changed(({ process }) => (process.user = { ...named(''), uid: 2 ** 31 })),
    'spec.process.user.uid',
  ],
  [
    'a mask of more than nine bits',
    changed(({ process }) => (process.user = { ...named(''), umask: 0o1000 })),
    'spec.process.user.umask',
  ],
  ['no root', changed((spec) => ((spec as Spec).root = undefined)), 'spec.root.mounts'],
  [
    'an unknown kind of namespace',
    changed(({ linux }) => linux.namespaces.push({ type: 99 as NamespaceType, path: '' })),
    'spec.linux.namespaces[7].type',
  ],
  [
    'a kind that is not set',
    changed(({ linux }) => linux.namespaces.push({ type: 0, path: '' })),
    'spec.linux.namespaces[7].type',
  ],
  [
    'a kind twice',
    changed(({ linux }) =>
      linux.namespaces.push({ type: NamespaceType.NAMESPACE_TYPE_PID, path: '' }),
    ),
    'spec.linux.namespaces[7].type',
  ],
  [
    'the host’s mounts',
    changed(({ linux }) => {
      linux.namespaces = linux.namespaces.filter(
        ({ type }) => type !== NamespaceType.NAMESPACE_TYPE_MOUNT,
      );
    }),
    'spec.linux.namespaces',
  ],
  [
    'no word about the filter',
    changed(({ linux }) => (linux.seccomp = undefined)),
    'spec.linux.seccomp.profile',
  ],
  [
    'an unknown filter',
    changed(({ linux }) => (linux.seccomp = { profile: 3 as SeccompProfile })),
    'spec.linux.seccomp.profile',
  ],
  [
    'a newline in the host name',
    changed((spec) => (spec.hostname = 'a\nroot::0:0')),
    'spec.hostname',
  ],
  [
    'a host name that is too long',
    changed((spec) => (spec.hostname = 'a'.repeat(65))),
    'spec.hostname',
  ],
  [
    'the host’s name',
    changed(({ linux }) => {
      linux.namespaces = linux.namespaces.filter(
        ({ type }) => type !== NamespaceType.NAMESPACE_TYPE_UTS,
      );
    }),
    'spec.hostname',
  ],
  [
    'a parameter of the host',
    sysctl('kernel.core_pattern'),
    'spec.linux.sysctl.kernel.core_pattern',
  ],
  ['a path as a parameter', sysctl('net/../kernel/core_pattern'), 'spec.linux.sysctl'],
  ['a parameter with an empty part', sysctl('net.ipv4..x'), 'spec.linux.sysctl'],
  [
    'two parameters in one',
    sysctl('kernel.shm_rmid_forced=1+kernel.core_pattern'),
    'spec.linux.sysctl',
  ],
  ['a newline in a parameter', sysctl('kernel.msgmax', '1\n2'), 'spec.linux.sysctl.kernel.msgmax'],
  ['a device of no type', device('/dev/x', 'u', 1, 3), 'spec.linux.devices[0].type'],
  ['a device out of range', device('/dev/x', 'c', 4096, 3), 'spec.linux.devices[0].major'],
  ['a setuid device', device('/dev/x', 'c', 1, 3, 0o4666), 'spec.linux.devices[0].file_mode'],
  ['a device elsewhere', device('/dev/../../x', 'c', 1, 3), 'spec.linux.devices[0].path'],
  ['a relative destination', mount('tmpfs', 'x', 'a'), 'spec.mounts[0].destination'],
  ['a relative source', mount('bind', 'x', '/a'), 'spec.mounts[0].source'],
  ['a disk', mount('ext4', '/dev/sda', '/a'), 'spec.mounts[0].type'],
  ['an unknown type', mount('nosuchfs', 'x', '/a'), 'spec.mounts[0].type'],
  ['an unknown option', mount('tmpfs', 'x', '/a', 'nosuch=1'), 'spec.mounts[0].options'],
  ['a remount', mount('bind', '/x', '/a', 'remount'), 'spec.mounts[0].options'],
  [
    'a join by another file',
    changed(({ linux }) => {
      linux.cgroups = { v1TasksPaths: ['/proc/sys/kernel/panic'], v2Directory: '', mounts: [] };
    }),
    'spec.linux.cgroups.v1_tasks_paths[0]',
  ],
  [
    'a cgroup file system elsewhere',
    changed(({ linux }) => {
      const mounts = [{ destination: '/a', type: 'cgroup2', source: 'x', options: [] }];
      linux.cgroups = { v1TasksPaths: [], v2Directory: '', mounts };
    }),
    'spec.linux.cgroups.mounts[0].destination',
  ],
  [
    'an unknown propagation',
    changed(({ linux }) => (linux.rootfsPropagation = 'rshared')),
    'spec.linux.rootfs_propagation',
  ],
  [
    'an unknown clock',
    changed(({ linux }) => (linux.timeOffsets = { realtime: { secs: 1, nanosecs: 0 } })),
    'spec.linux.time_offsets',
  ],
  [
    'a relative masked path',
    changed(({ linux }) => linux.maskedPaths.push('x')),
    expect.stringMatching(/^spec.linux.masked_paths/) as string,
  ],
];

describe('a spec is refused for', () => {
  it.each(REFUSED)('%s', (_name, spec, field) => {
    const [, named] = refusal(spec).split(' ');
    expect(named).toEqual(field);
  });

  it('any number that is no profile (A22)', () => {
    for (let profile = 0; profile <= 300; profile += 1) {
      const spec = changed(({ linux }) => (linux.seccomp = { profile: profile as SeccompProfile }));
      const known = profile === 1 || profile === 2;
      expect(refusal(spec)).toBe(known ? 'accepted' : 'INVALID_SPEC spec.linux.seccomp.profile');
    }
  });

  it('bounds of its log that make no sense', () => {
    const limits = (segmentBytes: number, segmentCount: number) => () =>
      planContainer(ID, exampleSpec('/r', ['x']), { segmentBytes, segmentCount }, PLACES, 'nowhere')
        .plan.log;
    expect(limits(0, 0)().maxFileBytes).toBe(32 * 1024 * 1024);
    expect(limits(65536, 2)().maxFileBytes).toBe(65536);
    expect(limits(65535, 2)).toThrow('log_limits.segment_bytes');
    expect(limits(65536, 1)).toThrow('log_limits.segment_count');
    expect(limits(2 ** 40, 2)).toThrow('log_limits');
  });
});
