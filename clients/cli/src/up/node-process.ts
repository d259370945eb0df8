import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { installRoot } from '@teu/config';
import type { Environment } from '../context.js';

/**
 * How services run: with a small heap that is collected often, and with few threads. Six such
 * processes have to stay below the memory of one engine of another make; clients/cli/README.md has
 * the measurements.
 */
const leanFlags = [
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--expose-gc',
  '--disable-warning=ExperimentalWarning',
  // A stray SIGUSR1 would open a debugger on 127.0.0.1: for every user, and every container with the
  // host's network, a shell as root.
  '--disable-sigusr1',
];

/** The program and first arguments that run a bundle. */
export function nodeCommand(bundle: string): { program: string; args: string[] } {
  const own = join(installRoot(), 'node_modules/node/bin/node');
  return {
    program: existsSync(own) ? own : process.execPath,
    args: [...leanFlags, join(installRoot(), bundle)],
  };
}

/** Names the descriptor that a resident process in the background reports to. */
export const reportVariable = 'TEU_UP_REPORT_FD';

const passedOn = /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|TEU_.*|(HTTPS?|NO)_PROXY|(https?|no)_proxy)$/;

/** Environment of a service: nothing of the caller's that it has no use for. */
export function serviceEnvironment(
  env: Environment,
  more: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && passedOn.test(entry[0]) && entry[0] !== reportVariable,
  );
  return {
    ...Object.fromEntries(kept),
    // One arena of malloc instead of one per thread.
    MALLOC_ARENA_MAX: '1',
    UV_THREADPOOL_SIZE: '2',
    ...more,
  };
}
