import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { isUnder, mountTable } from './mount-table.js';
import { onFailure } from './on-failure.js';
import { allPids, commandLine } from './processes.js';
import { requires } from './requires.js';
import { runProgram, type ProgramResult } from './run-program.js';
import { baseEnvironment } from './start-service.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** How containerd is started. */
export interface StartContainerdOptions {
  /** Snapshotters of others: name to address ("unix:/path.sock"). No name of one of its own ("btrfs"). */
  snapshotters?: Readonly<Record<string, string>>;
  /** Directory for its snapshots and content; one of its own if not given. Not removed by `stop`. */
  root?: string;
}

/** A container for `run`. */
export interface ContainerdRun {
  image: string;
  /** Name of the container. */
  id: string;
  snapshotter: string;
  command: readonly string[];
  /** More flags of "ctr run". */
  flags?: readonly string[];
}

/** Debian's containerd in a process of its own, with directories of its own. */
export interface TestContainerd {
  /** "unix:/path.sock" */
  readonly address: string;
  readonly namespace: string;
  /** Runs its client, which must succeed, and returns what it printed. */
  ctr(...args: string[]): Promise<string>;
  /** Runs a container to its end and removes it; `stdout` is all that it wrote. */
  run(what: ContainerdRun): Promise<ProgramResult>;
  logs(): string;
  /**
   * Ends it and removes its directories.
   * @throws Error if a process or a mount is left (which is then cleaned up)
   */
  stop(): Promise<void>;
}

const NAMESPACE = 'teu-test';
const START_MS = 15_000;
const STOP_MS = 10_000;
/** What needs devices, daemons or memory that a test has no use for. */
const DISABLED_PLUGINS = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.internal.v1.opt',
  'io.containerd.monitor.v1.cgroups',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
];

/** Starts containerd and waits until it answers. Its own programs (runc, the shim) are found by PATH. */
export async function startContainerd(
  options: StartContainerdOptions = {},
): Promise<TestContainerd> {
  requires('containerd', 'runc');
  const directory = tempDir();
  const base = directory.path;
  const socket = join(base, 'c.sock');
  const configuration = join(base, 'config.toml');
  mkdirSync(join(base, 'tmp'));
  writeFileSync(configuration, configurationText(base, socket, options));
  const child = spawn('containerd', ['--config', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...baseEnvironment(), PATH: programPath() },
  });
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  const logs = (): string => lines.join('');
  onFailure('log of containerd', logs);
  const cgroup = `/teu/${basename(base)}`;
  const untouched = withoutGroup();
  const client = (args: readonly string[]): Promise<ProgramResult> =>
    runProgram('ctr', ['--address', socket, '--namespace', NAMESPACE, ...args]);
  const ctr = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args);
    if (code !== 0) throw new Error(`ctr ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  const stop = async (): Promise<void> => {
    try {
      await removeTasks(client);
      await end(child);
      await expectNothingLeft(base);
    } finally {
      removeCgroups(cgroup, untouched);
      directory.remove();
    }
  };
  try {
    const ready = async (): Promise<boolean> => (await client(['version'])).code === 0;
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('it has ended')));
    await Promise.race([waitFor(ready, { timeoutMs: START_MS }), ended]);
  } catch (cause) {
    await stop();
    throw new Error(`containerd does not serve; its log:\n${logs()}`, { cause });
  }
  return {
    address: `unix:${socket}`,
    namespace: NAMESPACE,
    ctr,
    run: async ({ image, id, snapshotter, command, flags = [] }) => {
      const own = ['--rm', '--snapshotter', snapshotter, '--cgroup', `${cgroup}/${id}`];
      const places = ['--fifo-dir', join(base, 'fifo'), '--runc-root', join(base, 'runc')];
      // The shim writes it. A pipe's reader is ctr, which gives up on one that it has not opened before the
      // container ends (cio: Cancel), and then what was written is lost.
      const output = join(base, `output-${id}`);
      const log = ['--log-uri', `file://${output}`];
      const ended = await client([
        'run',
        ...own,
        ...places,
        ...log,
        ...flags,
        image,
        id,
        ...command,
      ]);
      return { ...ended, stdout: existsSync(output) ? readFileSync(output, 'utf8') : '' };
    },
    logs,
    stop,
  };
}

function configurationText(base: string, socket: string, options: StartContainerdOptions): string {
  const { snapshotters = {}, root = join(base, 'root') } = options;
  const lines = [
    'version = 2',
    `root = "${root}"`,
    `state = "${join(base, 'state')}"`,
    `temp = "${join(base, 'tmp')}"`,
    `disabled_plugins = ${JSON.stringify(DISABLED_PLUGINS)}`,
    '[grpc]',
    `  address = "${socket}"`,
    '[ttrpc]',
    `  address = "${socket}.ttrpc"`,
    // Garbage is collected when something is deleted, and not also after so and so many changes, in
    // the middle of what a test does by hand.
    '[plugins."io.containerd.gc.v1.scheduler"]',
    '  mutation_threshold = 0',
    '[debug]',
    '  level = "info"',
    ...Object.entries(snapshotters).flatMap(([name, address]) => [
      `[proxy_plugins.${JSON.stringify(name)}]`,
      '  type = "snapshot"',
      `  address = "${address.replace(/^unix:/, '')}"`,
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/** runc lies where only root's PATH leads. */
function programPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
}

/** Ends what a failed test has left running. */
async function removeTasks(client: (args: string[]) => Promise<ProgramResult>): Promise<void> {
  const listed = await client(['tasks', 'list', '--quiet']);
  const names = listed.stdout.split('\n').filter((line) => line !== '');
  for (const name of listed.code === 0 ? names : []) {
    await client(['tasks', 'delete', '--force', name]);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** A shim is a process of its own, which outlives containerd and names its socket as an argument. */
async function expectNothingLeft(base: string): Promise<void> {
  const shims = (): number[] => allPids().filter((pid) => commandLine(pid).includes(`${base}/`));
  const mounts = (): string[] =>
    mountTable()
      .filter(({ mountPoint }) => isUnder(mountPoint, base))
      .map(({ mountPoint, type }) => `${type} on ${mountPoint}`);
  try {
    await waitFor(() => shims().length + mounts().length === 0, { timeoutMs: STOP_MS });
  } catch (cause) {
    const left = [...shims().map(commandLine), ...mounts()];
    for (const pid of shims()) process.kill(pid, 'SIGKILL');
    throw new Error(`containerd has left behind:\n${left.join('\n')}`, { cause });
  }
}

/** Hierarchies in which there is no group of TEU yet. */
function withoutGroup(): string[] {
  return hierarchies().filter((hierarchy) => !existsSync(join(hierarchy, 'teu')));
}

/** runc removes the group of a container, and not the ones that it made above it. */
function removeCgroups(path: string, withoutGroupBefore: readonly string[]): void {
  for (const hierarchy of hierarchies()) {
    const group = join(hierarchy, path);
    const left = existsSync(group) ? readdirSync(group, { withFileTypes: true }) : [];
    for (const entry of left) {
      if (entry.isDirectory()) removeGroup(join(group, entry.name));
    }
    removeGroup(group);
  }
  for (const hierarchy of withoutGroupBefore) removeGroup(join(hierarchy, 'teu'));
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It was not made in this hierarchy, or somebody else is in it by now.
  }
}

function hierarchies(): string[] {
  return mountTable()
    .filter(({ type }) => type === 'cgroup' || type === 'cgroup2')
    .map(({ mountPoint }) => mountPoint);
}
