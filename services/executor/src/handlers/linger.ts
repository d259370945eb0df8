import { teuError } from '@teu/errors';
import type { LaunchContainerRequest } from '@teu/proto/executor';
import type { LaunchedContainer } from '../domain/launch-container.js';
import { settlesWithin } from '../domain/within.js';

/** Most that an answer is held back. */
const LINGER_MS_MAX = 1_000;

/** Holds an answer back until the program has ended, for as long as the client asked for. */
export async function linger({ first, trace }: LaunchedContainer, ms: number): Promise<void> {
  if (ms === 0) return;
  const begun = performance.now();
  await settlesWithin(ms, first.ended);
  // Not a part of the start: whoever reads the trace can take it off.
  trace.phases.push({ name: 'linger', elapsedDuration: durationOf(performance.now() - begun) });
}

/** @throws INVALID_ARGUMENT */
export function lingerMsOf(duration: LaunchContainerRequest['lingerDuration']): number {
  if (duration === undefined) return 0;
  const ms = duration.seconds * 1000 + duration.nanos / 1e6;
  if (ms >= 0 && ms <= LINGER_MS_MAX) return ms;
  throw teuError('INVALID_ARGUMENT', 'linger_duration is from 0 to 1 second');
}

function durationOf(ms: number) {
  return { seconds: Math.trunc(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
}
