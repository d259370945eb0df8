// What the machine must have that no package can bring.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { release } from 'node:os';
import { runProgram } from './run-program.mjs';
import { SetupFailure } from './step.mjs';

const oldestNode = 20;
// close_range(2) came with 5.9; 5.10 is the kernel of the oldest Debian that is still kept up.
const oldestKernel = [5, 10];
const namespaces = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'time'];
const controllers = ['cpu', 'memory', 'pids'];

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Fails with a reason unless this machine can build and run the engine. */
export async function checkMachine() {
  checkNode();
  checkRoot();
  checkDistribution();
  checkKernelVersion();
  await checkOverlay();
  checkNamespaces();
  checkSeccomp();
  checkCgroups();
  return `Node ${process.versions.node}, Linux ${release()}, cgroups ${cgroupVersion()}`;
}

function checkNode() {
  if (Number(process.versions.node.split('.')[0]) >= oldestNode) return;
  throw new SetupFailure(
    `Node ${process.versions.node} is too old: the set-up needs Node ${oldestNode} or newer`,
    'the engine itself runs on a Node of its own, which the set-up installs',
  );
}

function checkRoot() {
  if (process.getuid?.() === 0) return;
  throw new SetupFailure(
    'this needs root: it installs Debian packages, and containers need mounts and namespaces',
    'try: sudo npm start',
  );
}

function checkDistribution() {
  if (existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-query')) return;
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? 'this system';
  throw new SetupFailure(`the set-up knows Debian only, and ${name} has no apt-get`);
}

function checkKernelVersion() {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  const [oldMajor, oldMinor] = oldestKernel;
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return;
  throw new SetupFailure(
    `Linux ${release()} is too old: ${oldestKernel.join('.')} or newer is needed`,
  );
}

async function checkOverlay() {
  const known = () => /\boverlay\b/.test(read('/proc/filesystems'));
  if (!known() && existsSync('/sbin/modprobe')) await runProgram('/sbin/modprobe', ['overlay']);
  if (known()) return;
  throw new SetupFailure(
    'this kernel has no overlay file system (CONFIG_OVERLAY_FS)',
    'if it is a module that this machine may not load itself: modprobe overlay on the host',
  );
}

function checkNamespaces() {
  const there = readdirSync('/proc/self/ns');
  const missing = namespaces.filter((name) => !there.includes(name));
  if (missing.length === 0) return;
  throw new SetupFailure(`this kernel has no ${missing.join(', ')} namespaces`);
}

function checkSeccomp() {
  if (/^Seccomp:/m.test(read('/proc/self/status'))) return;
  throw new SetupFailure('this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)');
}

function cgroupVersion() {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'v2' : 'v1';
}

function checkCgroups() {
  const mounted = read('/proc/self/mounts');
  const onVersion2 = read('/sys/fs/cgroup/cgroup.controllers').split(/\s+/);
  const missing = controllers.filter(
    (name) => !onVersion2.includes(name) && !new RegExp(` cgroup [^ ]*\\b${name}\\b`).test(mounted),
  );
  if (missing.length === 0) return;
  throw new SetupFailure(
    `no cgroup controller for ${missing.join(', ')} is mounted below /sys/fs/cgroup`,
    'limits can be enforced only where the kernel offers them to this machine',
  );
}
