import { installRoot } from '@teu/config';
import { isTeuError } from '@teu/errors';
import { checkHealth, connect, type RpcChannel } from '@teu/rpc';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { onFailure } from './on-failure.js';
import { patient } from './patience.js';
import { removeTree, tempDir } from './temp-dir.js';

/** How a service is started. */
export interface StartServiceOptions {
  /** Default: a directory of its own, removed by `stop`. */
  runDir?: string;
  dataDir?: string;
  env?: Record<string, string>;
  args?: readonly string[];
  /** Milliseconds until it must serve; 15 000 if not given. */
  timeoutMs?: number;
}

/** A service in a process of its own. */
export interface RunningTestService {
  readonly name: string;
  readonly pid: number;
  readonly runDir: string;
  readonly dataDir: string;
  readonly address: string;
  readonly channel: RpcChannel;
  /** What it has logged so far. */
  logs(): string;
  /** Sends a signal; with SIGKILL wait for `exited` before starting it again. */
  kill(signal: NodeJS.Signals): void;
  /** How it ended, once it has. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to end, waits, and removes the directories that were made for it. Twice is no error. */
  stop(): Promise<void>;
}

const STOP_MS = 10_000;

/**
 * Runs the bundle of a service ("engine", "image", …; the name of a storage driver runs
 * services/storage-driver with it) and waits until it serves. The bundle is made if it is missing.
 */
export async function startService(
  name: string,
  options: StartServiceOptions = {},
): Promise<RunningTestService> {
  const own = options.runDir === undefined || options.dataDir === undefined ? tempDir() : undefined;
  const runDir = options.runDir ?? join(own?.path ?? '', 'run');
  const dataDir = options.dataDir ?? join(own?.path ?? '', 'data');
  const { bundle, args } = programOf(name);
  const child = spawn(process.execPath, [bundle, ...args, ...(options.args ?? [])], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...baseEnvironment(), TEU_RUN_DIR: runDir, TEU_DATA_DIR: dataDir, ...options.env },
  });
  const lines: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  const logs = (): string => lines.join('');
  onFailure(`log of ${name}`, logs);
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const address = `unix:${join(runDir, `${name}.sock`)}`;
  const channel = connect(address);
  const stop = async (): Promise<void> => {
    channel.close();
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patient(STOP_MS));
    await exited;
    clearTimeout(timer);
    if (own) removeTree(own.path);
  };
  try {
    const ready = servesWithin(channel, patient(options.timeoutMs ?? 15_000));
    const ended = exited.then(() => Promise.reject(new Error('it has ended')));
    await Promise.race([ready, ended]);
  } catch (cause) {
    await stop();
    throw new Error(`${name} does not serve; its log:\n${logs()}`, { cause });
  }
  return {
    name,
    pid: child.pid ?? 0,
    runDir,
    dataDir,
    address,
    channel,
    logs,
    kill: (signal) => void child.kill(signal),
    exited,
    stop,
  };
}

/**
 * Waits until the service answers. A connection to a process before it under the same address may still be
 * open on this side, so a call may fail as unavailable although the new one is about to serve.
 */
async function servesWithin(channel: RpcChannel, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = Math.max(1, deadline - performance.now());
    try {
      await checkHealth(channel, '', { timeoutMs: leftMs, waitForReady: true });
      return;
    } catch (error) {
      if (!isTeuError(error, 'UNAVAILABLE') || performance.now() >= deadline) throw error;
      await delay(20);
    }
  }
}

/** The variables that a program needs, without the TEU_ ones of whoever runs the tests. */
export function baseEnvironment(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'TEU_NATIVE_DIR', 'TEU_UP_START_TIMEOUT'];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function programOf(name: string): { bundle: string; args: string[] } {
  const root = installRoot();
  const isService = existsSync(join(root, 'services', name));
  const project = isService ? `services/${name}` : 'services/storage-driver';
  const bundle = join(root, project, 'dist/main.mjs');
  if (!existsSync(bundle)) {
    const built = spawnSync(process.execPath, ['tools/bundle.mjs', project], { cwd: root });
    if (built.status !== 0) throw new Error(`bundling ${project}: ${built.stderr.toString()}`);
  }
  return { bundle, args: isService ? [] : ['--driver', name] };
}
