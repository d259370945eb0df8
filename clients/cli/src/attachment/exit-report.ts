import type { ContainerExit, ContainerSpec } from '@teu/proto/engine';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { memorySize } from '../output/for-people.js';

/**
 * Says what the exit code alone does not, and returns it: that the kernel killed for want of memory,
 * or that the exit is not known.
 */
export async function reportExit(
  context: Context,
  exit: ContainerExit | undefined,
  spec: ContainerSpec | undefined,
): Promise<number> {
  if (exit === undefined) {
    throw new CliError('the engine did not tell how the container ended', { exitCode: 125 });
  }
  if (exit.oomKilled) {
    const limit = spec?.resources?.memory?.limit;
    const known = limit === undefined || limit <= 0 ? '' : ` of ${memorySize(limit)} (--memory)`;
    await context.stderr.write(
      `teu: the container ran out of memory: the kernel killed a process in it at its limit${known}\n`,
    );
  }
  if (exit.error !== '') await context.stderr.write(`teu: ${exit.error}\n`);
  return exit.exitCode;
}

/** Refuses a terminal for a program whose input is none, as docker does. */
export function checkTerminal(context: Context, stdin: boolean, terminal: boolean): void {
  if (!stdin || !terminal || context.stdin.isTerminal) return;
  throw new CliError('standard input is not a terminal', {
    hint: 'leave -t out, or give the command on a terminal',
    exitCode: 1,
  });
}
