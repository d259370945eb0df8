import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Runs a program to its end without capturing anything. Throws when it fails. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let errors = '';
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new Error(`${program} ${args.join(' ')}: exit ${String(code)}: ${errors.slice(-600)}`),
        );
    });
  });
}

/** Runs a program to its end and returns what it printed. Throws when it fails. */
export function capture(program: string, args: readonly string[], input?: string): string {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
  if (result.status !== 0) {
    throw new Error(
      `${program} ${args.join(' ')}: exit ${String(result.status)}: ${result.stderr}`,
    );
  }
  return result.stdout;
}

/** Starts a daemon and waits until its socket is there. */
export async function startDaemon(
  program: string,
  args: readonly string[],
  socket: string,
): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: 'ignore' });
  const deadline = performance.now() + 30_000;
  while (!existsSync(socket)) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${String(child.exitCode)}`);
    if (performance.now() > deadline) throw new Error(`${program} has not made ${socket} in 30 s`);
    await delay(50);
  }
  return child;
}

/** Asks a daemon to stop and waits until it has. */
export async function stopDaemon(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await closed;
  clearTimeout(killer);
}

/** Installs Debian packages that are missing, without letting their services start. */
export function installPackages(packages: readonly string[]): void {
  const missing = packages.filter(
    (name) =>
      !spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], {
        encoding: 'utf8',
      }).stdout.includes('install ok installed'),
  );
  if (missing.length === 0) return;
  process.stdout.write(`installing ${missing.join(' ')}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => {
    const result = spawnSync('apt-get', args, { encoding: 'utf8', env: environment });
    if (result.status !== 0) throw new Error(`apt-get ${args.join(' ')}: ${result.stderr}`);
  };
  withoutServiceStarts(() => {
    apt('update', '-q');
    apt('install', '-y', '-q', '--no-install-recommends', ...missing);
  });
}

/** Keeps packages from starting their services while they are installed (invoke-rc.d(8)). */
function withoutServiceStarts(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) {
    install();
    return;
  }
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(policy, { force: true });
  }
}

/** Unmounts what peers left mounted below a directory, deepest first. */
export function unmountBelow(directory: string): void {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of mounted.reverse()) capture('umount', [path]);
}
