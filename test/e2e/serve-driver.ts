import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { checkHealth, connect } from '@teu/rpc';
import { waitFor } from '@teu/testing';
import type { Engine } from './engine.js';

/** A storage driver beside an engine, in a process of its own. */
export interface ServedDriver {
  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it with a signal, wherever it is, and waits. Returns its exit code; null if the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs `teu driver serve KIND --name NAME`, and waits until it serves at `<run dir>/d/<name>.sock`. */
export async function serveDriver(
  engine: Engine,
  kind: string,
  name: string,
  ...options: string[]
): Promise<ServedDriver> {
  const child = spawn(engine.bin, ['driver', 'serve', kind, '--name', name, ...options], {
    env: { ...engine.env },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await waitFor(() => serves(`${engine.runDir}/d/${name}.sock`), { timeoutMs: 15_000 });
  return {
    signal: (signal) => child.kill(signal),
    end: async (signal) => {
      child.kill('SIGCONT');
      child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

async function serves(socket: string): Promise<boolean> {
  const channel = connect(`unix:${socket}`);
  try {
    return (await checkHealth(channel, '', { timeoutMs: 1000 })) === 'SERVING';
  } catch {
    return false;
  } finally {
    channel.close();
  }
}
