import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { LabFailure } from './lab-failure.js';

/** A program that is killed when this process ends, however it ends. */
export interface BoundProcess {
  readonly child: ChildProcess;
  /** How it ended, once it has. Rejects if it could not be started. */
  readonly exited: Promise<string>;
}

/**
 * Starts a program with its output in a file. It has a session of its own: what a terminal sends to the
 * group of the lab is for the lab, which ends the others in order.
 */
export function startBound(program: string, args: readonly string[], log: string): BoundProcess {
  const output = openSync(log, 'a');
  // The parent-death signal (PR_SET_PDEATHSIG of prctl(2)) stays over an execve.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const exited = once(child, 'exit').then(
    ([code, signal]) => (signal === null ? `exit ${String(code)}` : String(signal)),
    (cause: unknown) => {
      throw new LabFailure(`${program} cannot be started`, { cause });
    },
  );
  // Whoever waits is told; nobody needs to.
  exited.catch(() => undefined);
  return { child, exited };
}
