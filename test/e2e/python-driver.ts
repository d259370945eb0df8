import { checkHealth, connect, type RpcChannel } from '@teu/rpc';
import { patient } from '@teu/testing';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const client = fileURLToPath(new URL('../../clients/python', import.meta.url));

/** The driver in Python, in a process of its own. */
export interface PythonDriver {
  readonly address: string;
  readonly socket: string;
  /** Its directory. */
  readonly root: string;
  readonly channel: RpcChannel;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** How it ended, once it has. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to end and waits. */
  close(): Promise<void>;
}

/** Starts it with its data and its socket in a directory, and waits until it serves. */
export async function startPythonDriver(
  directory: string,
  socketName = 'plain.sock',
): Promise<PythonDriver> {
  const generated = spawnSync(`${client}/generate`, { encoding: 'utf8' });
  if (generated.status !== 0) throw new Error(generated.stderr);
  const root = join(directory, 'plain');
  const socket = join(directory, socketName);
  const address = `unix:${socket}`;
  const args = [`${client}/plain_driver`, '--root', root, '--address', address];
  const child = spawn('/usr/bin/python3', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const channel = connect(address);
  const ended = exited.then(() => Promise.reject(new Error(`it has ended: ${log}`)));
  ended.catch(() => undefined);
  await Promise.race([
    checkHealth(channel, '', { timeoutMs: patient(30_000), waitForReady: true }),
    ended,
  ]);
  return {
    address,
    socket,
    root,
    channel,
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    exited,
    close: async () => {
      channel.close();
      child.kill('SIGTERM');
      await exited;
    },
  };
}
