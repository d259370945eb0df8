import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires, runProgram, waitFor } from '@teu/testing';

/** Another engine's client: runs a command that must succeed, and returns what it printed, without the last line break. */
export type Client = (...args: string[]) => Promise<string>;

const START_MS = 60_000;
const STOP_MS = 20_000;

/** The client of any program. */
export function clientOf(program: string, ...always: string[]): Client {
  return async (...args) => {
    const { code, stdout, stderr } = await runProgram(program, [...always, ...args]);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}: ${stderr}`);
    return stdout.trimEnd();
  };
}

/** Debian's dockerd with directories of its own, without networks, on a containerd that is there. */
export async function startDocker(
  directory: string,
  containerdAddress: string,
): Promise<{ docker: Client; stop(): Promise<void> }> {
  requires('root', 'overlayfs', 'docker');
  const socket = join(directory, 'docker.sock');
  const configuration = join(directory, 'daemon.json');
  mkdirSync(directory, { recursive: true });
  writeFileSync(configuration, '{}');
  const own = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [
    `--${name}`,
    join(directory, name),
  ]);
  const args = [
    ...['--host', `unix://${socket}`, ...own, '--config-file', configuration],
    ...['--containerd', containerdAddress.replace(/^unix:/, ''), '--storage-driver', 'overlay2'],
    ...['--bridge', 'none', '--iptables=false', '--ip6tables=false', '--cgroup-parent', 'teu-test'],
  ];
  const daemon = spawn('/usr/sbin/dockerd', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.on('data', (data: Buffer) => (log += String(data)));
  const docker = clientOf('docker', '--host', `unix://${socket}`);
  const stop = async (): Promise<void> => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const ended = once(daemon, 'exit');
      daemon.kill('SIGTERM');
      const timer = setTimeout(() => daemon.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    // It leaves its name for the host's network mounted.
    await runProgram('umount', [join(directory, 'exec-root/netns/default')]);
  };
  try {
    const ended = once(daemon, 'exit').then(() => Promise.reject(new Error('it has ended')));
    const answers = async (): Promise<boolean> =>
      (await runProgram('docker', ['--host', `unix://${socket}`, 'version'])).code === 0;
    await Promise.race([waitFor(answers, { timeoutMs: START_MS }), ended]);
  } catch (cause) {
    await stop();
    throw new Error(`dockerd does not serve; its log:\n${log}`, { cause });
  }
  return { docker, stop };
}

/** Debian's podman with a store of its own. */
export function podmanIn(directory: string): Client {
  requires('root', 'overlayfs', 'podman');
  mkdirSync(directory, { recursive: true });
  return clientOf(
    'podman',
    ...['--root', join(directory, 'root'), '--runroot', join(directory, 'run')],
    ...['--tmpdir', join(directory, 'tmp'), '--storage-driver', 'overlay', '--runtime', 'runc'],
    ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
  );
}
