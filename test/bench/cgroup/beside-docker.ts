import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mkdirSync } from 'node:fs';
import { busyboxImageTar, type TestTeu } from '@teu/testing';
import { cpuMs } from '../harness/cpu-time.js';
import { capture, runToEnd, startDaemon, stopDaemon } from '../harness/process.js';
import { table } from '../harness/statistics.js';
import { pidsByCommand } from '../start/memory.js';

/** Starts at one time. */
const BESIDE = 4;
/** Until everybody is at rest after the starts, and a watch stands. */
const SETTLE_MS = 5_000;

/** Processor time of the services while somebody watches, and while nobody does. */
interface Watched {
  readonly name: string;
  readonly what: string;
  readonly watchedMs: number;
  readonly restMs: number;
}

/** `docker stats` and `teu stats` at 1 Hz, each over as many containers that sleep, one engine after the other. */
export async function besideDockerReport(
  engine: TestTeu,
  directory: string,
  count: number,
  seconds: number,
): Promise<string> {
  const rows = [
    ...(await teu(engine, count, seconds)),
    ...(await docker(directory, count, seconds)),
  ];
  const percent = (ms: number) => ((100 * ms) / (seconds * 1000)).toFixed(2);
  return table([
    [
      `stats of ${String(count)} containers at 1 Hz, ${String(seconds)} s: % of a core`,
      'watched',
      'at rest',
      'of',
    ],
    ...rows.map(({ name, what, watchedMs, restMs }) => [
      name,
      percent(watchedMs),
      percent(restMs),
      what,
    ]),
  ]);
}

async function teu(engine: TestTeu, count: number, seconds: number): Promise<Watched[]> {
  await runToEnd(engine.bin, ['load', '-i', await busyboxImageTar()], engine.env);
  const names = namesOf(count);
  try {
    await inBatches(names, (name) =>
      runToEnd(engine.bin, ['run', '-d', '--name', name, 'busybox', 'sleep', '100000'], engine.env),
    );
    const { cgroup = 0, resident } = await engine.pids();
    const watch = () => startWatch(engine.bin, ['stats', '--format', 'json'], engine.env);
    const [service = 0, client = 0] = await watched([[cgroup], [resident]], seconds, watch);
    const [serviceRest = 0, clientRest = 0] = await watched([[cgroup], [resident]], seconds);
    return [
      { name: 'teu', what: 'the cgroup service', watchedMs: service, restMs: serviceRest },
      {
        name: 'teu',
        what: 'the process that runs the command',
        watchedMs: client,
        restMs: clientRest,
      },
    ];
  } finally {
    await runToEnd(engine.bin, ['rm', '-f', ...names], engine.env);
  }
}

async function docker(directory: string, count: number, seconds: number): Promise<Watched[]> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'docker.sock');
  const own = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [
    `--${name}`,
    join(directory, name),
  ]);
  const daemon = await startDaemon(
    '/usr/sbin/dockerd',
    [
      ...['--host', `unix://${socket}`, ...own, '--storage-driver', 'overlay2', '--bridge', 'none'],
      ...['--iptables=false', '--ip6tables=false'],
    ],
    socket,
  );
  const client = (...args: string[]) => ['--host', `unix://${socket}`, ...args];
  const names = namesOf(count);
  try {
    const rootfs = join(directory, 'rootfs.tar');
    capture('tar', ['-cf', rootfs, '-C', '/usr/bin', 'busybox']);
    await untilAnswers(client('version'));
    capture('docker', client('import', rootfs, 'busybox:bench'));
    await inBatches(names, (name) => {
      const options = ['-d', '--network', 'none', '--name', name, 'busybox:bench'];
      return runToEnd('docker', client('run', ...options, '/busybox', 'sleep', '100000'));
    });
    const shims = pidsByCommand('containerd-shim', directory);
    const others = pidsByCommand('containerd', directory).filter((pid) => !shims.includes(pid));
    const daemons = [...new Set([daemon.pid ?? 0, ...others])];
    const watch = () => startWatch('docker', client('stats', '--format', 'json'));
    const [service = 0, shim = 0] = await watched([daemons, shims], seconds, watch);
    const [serviceRest = 0, shimRest = 0] = await watched([daemons, shims], seconds);
    return [
      { name: 'docker', what: 'dockerd and containerd', watchedMs: service, restMs: serviceRest },
      {
        name: 'docker',
        what: 'the shims, which read the figures',
        watchedMs: shim,
        restMs: shimRest,
      },
    ];
  } finally {
    capture('docker', client('rm', '-f', ...names));
    await stopDaemon(daemon);
  }
}

const namesOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `stats-${String(index)}`);

async function untilAnswers(args: readonly string[]): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      capture('docker', args);
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await delay(100);
    }
  }
}

async function inBatches(
  names: readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < names.length; at += BESIDE) {
    await Promise.all(names.slice(at, at + BESIDE).map(work));
  }
}

/** Runs a command that watches until it is stopped. */
function startWatch(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  return async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    await ended;
  };
}

/** Processor time of groups of processes over some seconds, in milliseconds. */
async function watched(
  groups: readonly (readonly number[])[],
  seconds: number,
  watch?: () => () => Promise<void>,
): Promise<number[]> {
  const stop = watch?.();
  await delay(SETTLE_MS);
  const before = groups.map((pids) => cpuMs(...pids));
  await delay(seconds * 1000);
  const used = groups.map((pids, index) => cpuMs(...pids) - (before[index] ?? 0));
  await stop?.();
  return used;
}
