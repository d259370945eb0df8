import type { ContainerExit } from '@teu/proto/engine';
import type { ExitStatus } from '@teu/proto/executor';
import { clock } from '@teu/ids';
import { UNKNOWN_EXIT_CODE } from './defaults.js';

/** How a process ended, from what the executor says, which does not know about memory. */
export function exitOf(status: ExitStatus): ContainerExit {
  return {
    exitCode: status.lost ? UNKNOWN_EXIT_CODE : status.exitCode,
    signal: status.lost ? 0 : status.signal,
    oomKilled: false,
    exitTime: status.exitTime ?? clock.now(),
    error: status.lost ? 'its supervisor ended before it could record how the program ended' : '',
    oomKill: undefined,
  };
}

/** The end of a program that nobody can tell about. */
export function unknownExit(problem: string): ContainerExit {
  return {
    exitCode: UNKNOWN_EXIT_CODE,
    signal: 0,
    oomKilled: false,
    exitTime: clock.now(),
    error: problem,
    oomKill: undefined,
  };
}
