import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { mountTable } from './mount-table.js';

/** Something that a test needs of the machine. */
interface Feature {
  /**
   * What its absence means: the kernel or the caller's rights cannot do it (the test is skipped), or
   * a package is not installed (set-up has failed, and so does the test).
   */
  kind: 'kernel' | 'package';
  /** Why, or what to install. */
  hint: string;
  present: () => boolean;
}

const kernel = (hint: string, present: () => boolean): Feature => ({
  kind: 'kernel',
  hint,
  present,
});
const command = (name: string, debianPackage: string): Feature => ({
  kind: 'package',
  hint: `install the Debian package ${debianPackage}`,
  present: () => spawnSync('sh', ['-c', `command -v ${name}`], { env: searchPath() }).status === 0,
});

const FEATURES = {
  root: kernel('run as root', () => process.getuid?.() === 0),
  overlayfs: kernel('file system overlay', () => hasFilesystem('overlay')),
  ext4: kernel('file system ext4', () => hasFilesystem('ext4')),
  btrfs: kernel('file system btrfs', () => hasFilesystem('btrfs')),
  zfs: kernel('file system zfs', () => hasFilesystem('zfs')),
  fuse: kernel('device /dev/fuse', () => existsSync('/dev/fuse')),
  aufs: kernel('file system aufs', () => hasFilesystem('aufs')),
  loop: kernel('loop devices', () => existsSync('/dev/loop-control')),
  device_mapper: kernel('device mapper', () => existsSync('/dev/mapper/control')),
  userns: kernel('user namespaces', () => readNumber('/proc/sys/user/max_user_namespaces') > 0),
  timens: kernel('time namespaces', () => existsSync('/proc/self/ns/time')),
  seccomp: kernel('seccomp filters', () => existsSync('/proc/sys/kernel/seccomp/actions_avail')),
  psi: kernel('pressure stall information', () => existsSync('/proc/pressure/memory')),
  cgroup_v1: kernel('cgroup v1 with memory, cpu and pids', () =>
    ['memory', 'cpu', 'pids'].every(hasV1Controller),
  ),
  cgroup_v2: kernel('file system cgroup2', () => hasFilesystem('cgroup2')),
  cgroup_v2_controllers: kernel('cgroup v2 with memory, cpu and pids', hasV2Controllers),
  'nats-server': command('nats-server', 'nats-server'),
  mmdebstrap: command('mmdebstrap', 'mmdebstrap'),
  'mkfs.ext4': command('mkfs.ext4', 'e2fsprogs'),
  'mkfs.btrfs': command('mkfs.btrfs', 'btrfs-progs'),
  'zfs-fuse': command('zfs-fuse', 'zfs-fuse'),
  strace: command('strace', 'strace'),
  'docker-registry': command('docker-registry', 'docker-registry'),
  skopeo: command('skopeo', 'skopeo'),
  umoci: command('umoci', 'umoci'),
  python3: command('/usr/bin/python3', 'python3'),
  containerd: command('containerd', 'containerd'),
  runc: command('runc', 'runc'),
  docker: command('dockerd', 'docker.io'),
  podman: command('podman', 'podman'),
} as const;

/** A name of the table. */
export type FeatureName = keyof typeof FEATURES;

/**
 * Tells whether the machine has what a test needs: `describe.runIf(requires('root', 'loop'))(…)`.
 * What the kernel lacks is printed, so that a skip is never silent.
 * @throws Error if a package is missing: that is a set-up that failed, not a reason to skip
 */
export function requires(...names: FeatureName[]): boolean {
  const missing = names.filter((name) => !isPresent(name));
  const uninstalled = missing.find((name) => FEATURES[name].kind === 'package');
  if (uninstalled !== undefined) {
    throw new Error(`${uninstalled} is missing: ${FEATURES[uninstalled].hint}`);
  }
  for (const name of missing) tellOnce(name);
  return missing.length === 0;
}

const known = new Map<FeatureName, boolean>();

function isPresent(name: FeatureName): boolean {
  let present = known.get(name);
  if (present === undefined) {
    present = FEATURES[name].present();
    known.set(name, present);
  }
  return present;
}

const told = new Set<FeatureName>();

function tellOnce(name: FeatureName): void {
  if (told.has(name)) return;
  told.add(name);
  process.stderr.write(`skipped, this machine lacks ${name}: ${FEATURES[name].hint}\n`);
}

function hasFilesystem(type: string): boolean {
  const types = readFileSync('/proc/filesystems', 'utf8').split('\n');
  return types.some((line) => line.split('\t')[1] === type);
}

function hasV1Controller(name: string): boolean {
  return mountTable().some(
    ({ type, options }) => type === 'cgroup' && options.split(',').includes(name),
  );
}

function hasV2Controllers(): boolean {
  return mountTable().some(({ type, mountPoint }) => {
    if (type !== 'cgroup2') return false;
    const controllers = readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8').trim().split(' ');
    return ['memory', 'cpu', 'pids'].every((name) => controllers.includes(name));
  });
}

function readNumber(path: string): number {
  return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
}

/** The sbin directories belong to it: root's programs are there, whatever PATH the caller has. */
function searchPath(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
}
