// Programs of a test run, of which two may run at the same time.
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { constants } from 'node:os';

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exitCode = 128 + constants.signals[signal];
  });
}

/**
 * Runs a program. A signal to this process ends it as well.
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, outputFile?: string }} options without a file it writes where this process does
 * @returns {Promise<number>} its exit status; 1 if it could not be started or a signal ended it
 */
export async function runProgram(program, args, { cwd, env = process.env, outputFile }) {
  const output = outputFile === undefined ? 'inherit' : openSync(outputFile, 'w');
  const child = spawn(program, args, { cwd, env, stdio: ['inherit', output, output] });
  if (outputFile !== undefined) closeSync(output);
  running.add(child);
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
  running.delete(child);
  return status;
}

/** Whether a signal has told this process to end: what has not begun is not begun any more. */
export const isEnding = () => process.exitCode !== undefined;
