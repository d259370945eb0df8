import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isUnder, mountTable } from './mount-table.js';
import {
  allPids,
  boundSockets,
  commandLine,
  descriptorTargets,
  instancePids,
  type EngineInstance,
} from './processes.js';
import { waitFor } from './wait-for.js';

/** What an engine holds on the host, each as a line of text. Empty when it is down. */
export interface LeakSet {
  /** Mounts of its directories, in every mount namespace of the host. */
  mounts: string[];
  cgroups: string[];
  processes: string[];
  /** Network namespaces of its processes, other than the host's. */
  networks: string[];
  sockets: string[];
  loopDevices: string[];
  /** Open descriptors of its services by type, "<n> <type> of <command>". */
  descriptors: string[];
}

/** Name of an engine's cgroup, from its data directory. */
export function instanceName(dataDir: string): string {
  return createHash('sha256').update(dataDir).digest('hex').slice(0, 12);
}

/** Looks at what an engine holds now. */
export function leakSnapshot(instance: EngineInstance): LeakSet {
  const pids = instancePids(instance, instanceName(instance.dataDir));
  return {
    mounts: mountsOf(instance),
    cgroups: cgroupsOf(instanceName(instance.dataDir)),
    processes: pids.map((pid) => `${pid} ${commandLine(pid)}`),
    networks: networksOf(pids),
    sockets: boundSockets(instance.runDir).sort(),
    loopDevices: loopDevicesOf(instance),
    descriptors: pids.flatMap(descriptorsOf),
  };
}

/** What `expectNoLeaks` takes. */
export interface LeakOptions {
  /** Kinds to compare; all but the descriptors if not given, which services may open as they need. */
  kinds?: readonly (keyof LeakSet)[];
  /** Teardown happens after the answer: how long to give it. 10 000 ms if not given. */
  timeoutMs?: number;
}

const DEFAULT_KINDS = [
  'mounts',
  'cgroups',
  'processes',
  'networks',
  'sockets',
  'loopDevices',
] as const;

/**
 * Waits until an engine holds nothing that it did not hold before.
 * @throws Error listing what is there in addition
 */
export async function expectNoLeaks(
  instance: EngineInstance,
  before: LeakSet,
  options: LeakOptions = {},
): Promise<void> {
  const { kinds = DEFAULT_KINDS, timeoutMs = 10_000 } = options;
  let added: string[] = [];
  const clean = (): boolean => {
    const now = leakSnapshot(instance);
    added = kinds.flatMap((kind) => addedTo(kind, before[kind], now[kind]));
    return added.length === 0;
  };
  try {
    await waitFor(clean, { timeoutMs, intervalMs: 50 });
  } catch (cause) {
    throw new Error(`left behind:\n${added.join('\n')}`, { cause });
  }
}

function addedTo(kind: string, before: string[], now: string[]): string[] {
  const known = new Set(before);
  return now.filter((line) => !known.has(line)).map((line) => `  ${kind}: ${line}`);
}

function mountsOf({ runDir, dataDir }: EngineInstance): string[] {
  const seen = new Map<string, number>();
  for (const pid of allPids()) {
    const namespace = namespaceOf(pid, 'mnt');
    if (namespace !== undefined && !seen.has(namespace)) seen.set(namespace, pid);
  }
  return [...seen].flatMap(([namespace, pid]) =>
    mountTable(pid)
      .filter(({ mountPoint, options, source }) =>
        [mountPoint, source, ...options.split(/[,=:]/)].some(
          (path) => isUnder(path, runDir) || isUnder(path, dataDir),
        ),
      )
      .map(({ mountPoint, type }) => `${type} on ${mountPoint} in ${namespace}`),
  );
}

function networksOf(pids: number[]): string[] {
  const own = namespaceOf('self', 'net');
  const names = pids.map((pid) => namespaceOf(pid, 'net'));
  return [...new Set(names.filter((name) => name !== undefined && name !== own))] as string[];
}

/** Directories below `<hierarchy>/teu/<instance>`, in every hierarchy; itself does not count. */
function cgroupsOf(name: string): string[] {
  return mountTable()
    .filter(({ type }) => type === 'cgroup' || type === 'cgroup2')
    .map(({ mountPoint }) => join(mountPoint, 'teu', name))
    .flatMap((root) => (existsSync(root) ? directoriesIn(root) : []))
    .sort();
}

function directoriesIn(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));
}

function loopDevicesOf({ runDir, dataDir }: EngineInstance): string[] {
  return readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .map((name) => ({ name, file: join('/sys/block', name, 'loop/backing_file') }))
    .filter(({ file }) => existsSync(file))
    .map(({ name, file }) => ({ name, backing: readFileSync(file, 'utf8').trim() }))
    .filter(({ backing }) => isUnder(backing, runDir) || isUnder(backing, dataDir))
    .map(({ name, backing }) => `${name} on ${backing}`);
}

/** "socket:[123]" and "/some/file" become "socket" and "file". */
function descriptorsOf(pid: number): string[] {
  const counts = new Map<string, number>();
  for (const target of descriptorTargets(pid)) {
    const type = target.startsWith('/') ? 'file' : (target.split(':[')[0] ?? target);
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].map(([type, count]) => `${count} ${type} of ${pid} ${commandLine(pid)}`);
}

function namespaceOf(pid: number | 'self', kind: 'mnt' | 'net'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}
