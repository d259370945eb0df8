import type { Context } from '../context.js';
import { ServiceConnections } from '../services.js';

/** A context for tests, and what was written to it. */
export interface FakeContext {
  readonly context: Context;
  stdout(): string;
  stderr(): string;
  /** Sends a signal to whoever listens. */
  signal(number: number): void;
}

/** Makes a context that writes to memory; parts of it can be given. */
export function fakeContext(parts: Partial<Context>): FakeContext {
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<(signal: number) => void>();
  const output = (name: keyof typeof written) => ({
    isTerminal: false,
    write: (data: string | Uint8Array) => {
      written[name] += typeof data === 'string' ? data : Buffer.from(data).toString();
      return Promise.resolve();
    },
  });
  return {
    context: {
      args: [],
      env: {},
      cwd: '/',
      stdin: {
        isTerminal: false,
        read: async function* () {
          // An input without anything in it.
        },
      },
      stdout: output('stdout'),
      stderr: output('stderr'),
      terminal: {
        size: () => undefined,
        onResize: () => () => undefined,
        setRawMode: () => undefined,
      },
      signals: {
        listen: (listener) => {
          listeners.add(listener);
          return () => {
            listeners.delete(listener);
          };
        },
      },
      abort: new AbortController().signal,
      services: new ServiceConnections('/nonexistent'),
      place: 'process',
      ...parts,
    },
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    signal: (number) => {
      for (const listener of listeners) listener(number);
    },
  };
}
