import { constants } from 'node:os';
import process from 'node:process';
import type { ReadStream, WriteStream } from 'node:tty';
import { directoriesOf } from './config.js';
import {
  Interrupted,
  type Context,
  type Environment,
  type Output,
  type Terminal,
} from './context.js';
import { ServiceConnections } from './services.js';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM'] as const;
const interrupts: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** So many interrupts end the command, whatever it does with them. */
const interruptsToGiveUp = 3;
/** Exit code of a program that wrote into a closed pipe, as shells count it: 128 + SIGPIPE. */
const brokenPipe = 141;

/** The context of a command that has this process for itself. */
export interface ProcessContext {
  readonly context: Context;
  /** Closes connections and takes the hands off the terminal. */
  close(): void;
}

/** Makes the context of this process. */
export function processContext(args: readonly string[], env: Environment): ProcessContext {
  const abort = new AbortController();
  const services = new ServiceConnections(directoriesOf(env).runDir);
  const listeners = new Set<(signal: number) => void>();
  let interruptCount = 0;
  for (const name of forwarded) {
    process.on(name, () => {
      const signal = constants.signals[name];
      const isInterrupt = interrupts.includes(name);
      if (isInterrupt) interruptCount++;
      if (isInterrupt && (listeners.size === 0 || interruptCount >= interruptsToGiveUp)) {
        abort.abort(new Interrupted(signal));
      }
      for (const listener of listeners) listener(signal);
    });
  }
  return {
    context: {
      args,
      env,
      cwd: process.cwd(),
      stdin: { isTerminal: process.stdin.isTTY, read: readStdin },
      stdout: output(process.stdout, abort),
      stderr: output(process.stderr, abort),
      terminal: processTerminal(),
      signals: {
        listen: (listener) => {
          listeners.add(listener);
          return () => {
            listeners.delete(listener);
          };
        },
      },
      abort: abort.signal,
      services,
      place: 'process',
    },
    close: () => {
      services.close();
    },
  };
}

async function* readStdin(): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) yield chunk as Buffer;
}

function output(stream: WriteStream & { fd: number }, abort: AbortController): Output {
  stream.on('error', () => {
    abort.abort(new Interrupted(brokenPipe - 128));
  });
  return {
    isTerminal: stream.isTTY,
    write: (data) =>
      new Promise((resolve) => {
        stream.write(data, () => {
          resolve();
        });
      }),
  };
}

function processTerminal(): Terminal {
  const size = () => {
    const { rows, columns } = process.stdout;
    return process.stdout.isTTY ? { rows, columns } : undefined;
  };
  return {
    size,
    onResize: (listener) => {
      const changed = () => {
        const now = size();
        if (now !== undefined) listener(now);
      };
      process.stdout.on('resize', changed);
      return () => {
        process.stdout.off('resize', changed);
      };
    },
    setRawMode: (on) => {
      const stdin: ReadStream = process.stdin;
      if (stdin.isTTY) stdin.setRawMode(on);
    },
  };
}
