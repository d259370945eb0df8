import type { ContainerExit, ContainerSpec } from '@teu/proto/engine';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { memorySize } from '../output/for-people.js';
import { oomWords } from '../output/oom-words.js';
import { visible } from '../output/visible.js';

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
  if (exit.oomKilled) await context.stderr.write(`teu: ${visible(oomReport(exit, spec))}\n`);
  if (exit.error !== '') await context.stderr.write(`teu: ${exit.error}\n`);
  return exit.exitCode;
}

function oomReport({ oomKill }: ContainerExit, spec: ContainerSpec | undefined): string {
  if (oomKill !== undefined) return `the container ran out of memory: ${oomWords(oomKill)}`;
  const limit = spec?.resources?.memory?.limit;
  const known = limit === undefined || limit <= 0 ? '' : ` of ${memorySize(limit)} (--memory)`;
  return `the container ran out of memory: the kernel killed a process in it at its limit${known}`;
}

/** Refuses a terminal for a program whose input is none, as docker does. */
export function checkTerminal(context: Context, stdin: boolean, terminal: boolean): void {
  if (!stdin || !terminal || context.stdin.isTerminal) return;
  throw new CliError('standard input is not a terminal', {
    hint: 'leave -t out, or give the command on a terminal',
    exitCode: 1,
  });
}
