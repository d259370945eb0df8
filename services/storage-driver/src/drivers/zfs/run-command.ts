import { execFile } from 'node:child_process';
import { failureOf, ZfsFailure } from './zfs-failure.js';

/** Longest list that is taken: 100,000 datasets with their properties. */
const MAX_OUTPUT_BYTES = 64 << 20;

/** A program and how long it may take. */
export interface CommandLimits {
  /** Milliseconds until it is killed and given up. */
  readonly timeoutMs: number;
}

/**
 * Runs a program by its absolute path, without a shell, without variables, and with its words as they
 * are. It is given up at the time limit even if it cannot be killed, because it waits in the kernel.
 *
 * @returns Its standard output.
 * @throws ZfsFailure, "timeout" if it has not ended in time, and then what it did is unknown
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { timeoutMs }: CommandLimits,
): Promise<string> {
  const command = [program, ...args].join(' ');
  return new Promise((resolve, reject) => {
    const options = { env: {}, cwd: '/', maxBuffer: MAX_OUTPUT_BYTES };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (error === null) resolve(stdout);
      else reject(failureOf(command, stderr === '' ? error.message : stderr, error));
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      child.unref();
      reject(new ZfsFailure('timeout', `${command}: not done in ${timeoutMs} ms`));
    }, timeoutMs);
  });
}
