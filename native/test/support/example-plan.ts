import type { LaunchPlan } from '../../ts/index.js';

/** A plan with something in every field, for tests of its wire form. */
export function examplePlan(): LaunchPlan {
  const mount = { source: 'x', flags: 6, data: 'mode=755' };
  return {
    id: 'example',
    directory: '/state/example',
    socketPath: '/run/example',
    hold: true,
    holdWorld: false,
    log: { maxFileBytes: 1_000_000 },
    namespaces: {
      user: { kind: 'host' },
      pid: { kind: 'new' },
      mount: { kind: 'new' },
      uts: { kind: 'target' },
      ipc: { kind: 'new' },
      network: { kind: 'path', path: '/run/netns/a' },
      cgroup: { kind: 'new' },
      time: { kind: 'new' },
    },
    target: { pid: 1, startTicks: 2n },
    idMappings: null,
    timeOffsets: { monotonicNs: -5n, boottimeNs: 7n },
    cgroup: { v1TasksFiles: ['/cg/cpu/tasks', '/cg/memory/tasks'], v2Directory: '/cg2/x' },
    rootfs: {
      path: '/rootfs',
      mounts: [{ ...mount, type: 'overlay', target: '' }],
      readonly: true,
      propagation: 0,
    },
    mounts: [
      { ...mount, type: 'proc', target: '/proc', propagation: 0 },
      { ...mount, type: 'bind', target: '/data', propagation: 0x40000 },
    ],
    devices: [
      { path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 },
      { path: '/dev/pipe', type: 'p', major: 0, minor: 0, mode: 0o600, uid: 1, gid: 2 },
    ],
    links: [{ path: '/dev/fd', target: '/proc/self/fd' }],
    maskedPaths: ['/proc/keys'],
    readonlyPaths: ['/proc/sys'],
    hostname: 'box',
    domainname: 'example.org',
    sysctl: [{ key: 'net.ipv4.ip_forward', value: '1' }],
    process: {
      argv: ['sh', '-c', 'true'],
      env: ['PATH=/bin', 'A=ä'],
      cwd: '/',
      user: { kind: 'ids', uid: 1, gid: 2, additionalGids: [3, 4] },
      capabilities: {
        bounding: 0xffn,
        effective: 1n,
        permitted: 1n,
        inheritable: 0n,
        ambient: 0n,
      },
      noNewPrivileges: true,
      seccomp: { filter: Buffer.from('0600000000' + '00ff7f', 'hex'), flags: 2 },
      rlimits: [{ resource: 7, soft: 1n, hard: 2n ** 64n - 1n }],
      oomScoreAdj: -5,
      umask: 0o27,
      personality: null,
      terminal: { rows: 24, columns: 80 },
      stdin: 'pipe',
    },
  };
}
