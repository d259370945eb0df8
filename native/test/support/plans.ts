import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  DEFAULT_DEVICE_LINKS,
  DEFAULT_DEVICES,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_STRICTATIME,
  type LaunchPlan,
  type MountPlan,
  type NamespacePlan,
  type ProcessIdentity,
  type ProcessPlan,
} from '../../ts/index.js';
import type { Scratch } from './busybox-rootfs.js';

/** Docker's default set of 14 capabilities, as a mask. */
export const DEFAULT_CAPABILITIES = 0xa80425fbn;
const NEW: NamespacePlan = { kind: 'new' };
const HOST: NamespacePlan = { kind: 'host' };
const TARGET: NamespacePlan = { kind: 'target' };

let launches = 0;

/** A state directory of its own for each launch. */
export function stateDirectory(scratch: Scratch): string {
  launches += 1;
  const directory = join(scratch.directory, 'state', String(launches));
  mkdirSync(directory);
  return directory;
}

export function processPlan(argv: string[], changes: Partial<ProcessPlan> = {}): ProcessPlan {
  return {
    argv,
    env: ['PATH=/bin'],
    cwd: '/',
    user: { kind: 'ids', uid: 0, gid: 0, additionalGids: [] },
    capabilities: {
      bounding: DEFAULT_CAPABILITIES,
      effective: DEFAULT_CAPABILITIES,
      permitted: DEFAULT_CAPABILITIES,
      inheritable: 0n,
      ambient: 0n,
    },
    noNewPrivileges: false,
    seccomp: null,
    rlimits: [],
    oomScoreAdj: null,
    umask: null,
    personality: null,
    terminal: null,
    stdin: 'null',
    ...changes,
  };
}

export const STANDARD_MOUNTS: MountPlan[] = [
  mount('proc', '/proc', MS_NOSUID | MS_NOEXEC | MS_NODEV, ''),
  mount('tmpfs', '/dev', MS_NOSUID | MS_STRICTATIME, 'mode=755,size=65536k'),
  mount('devpts', '/dev/pts', MS_NOSUID | MS_NOEXEC, 'newinstance,ptmxmode=0666,mode=0620,gid=5'),
  mount('sysfs', '/sys', MS_NOSUID | MS_NOEXEC | MS_NODEV | 1, ''),
  mount('mqueue', '/dev/mqueue', MS_NOSUID | MS_NOEXEC | MS_NODEV, ''),
  mount('tmpfs', '/dev/shm', MS_NOSUID | MS_NOEXEC | MS_NODEV, 'mode=1777,size=65536k'),
];

export function mount(type: string, target: string, flags: number, data: string): MountPlan {
  return { type, source: type, target, flags, propagation: 0, data };
}

/** A container with all namespaces of its own and Docker's usual file systems. */
export function containerPlan(scratch: Scratch, process: ProcessPlan): LaunchPlan {
  const directory = stateDirectory(scratch);
  return {
    id: 'test-container',
    directory,
    socketPath: join(directory, 's'),
    hold: false,
    holdWorld: false,
    log: { maxFileBytes: 1024 * 1024 },
    namespaces: {
      user: HOST,
      pid: NEW,
      mount: NEW,
      uts: NEW,
      ipc: NEW,
      network: NEW,
      cgroup: NEW,
      time: NEW,
    },
    target: null,
    idMappings: null,
    timeOffsets: null,
    cgroup: { v1TasksFiles: [], v2Directory: null },
    rootfs: { path: scratch.root, mounts: [], readonly: false, propagation: 0 },
    mounts: [...STANDARD_MOUNTS],
    devices: [...DEFAULT_DEVICES],
    links: [...DEFAULT_DEVICE_LINKS],
    maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/acpi', '/sys/firmware'],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    hostname: 'box',
    domainname: null,
    sysctl: [],
    process,
  };
}

/** Another process in a running container. */
export function execPlan(
  scratch: Scratch,
  target: ProcessIdentity,
  process: ProcessPlan,
): LaunchPlan {
  const base = containerPlan(scratch, process);
  return {
    ...base,
    id: 'test-exec',
    target,
    rootfs: null,
    mounts: [],
    devices: [],
    links: [],
    maskedPaths: [],
    readonlyPaths: [],
    hostname: null,
    namespaces: {
      user: HOST,
      pid: TARGET,
      mount: TARGET,
      uts: TARGET,
      ipc: TARGET,
      network: TARGET,
      cgroup: TARGET,
      time: TARGET,
    },
  };
}
