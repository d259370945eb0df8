import { teuError } from '@teu/errors';
import { parseContainerId } from '@teu/ids';
import type { LaunchContainerRequest, LaunchContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { launchContainer } from '../domain/launch-container.js';
import { settlesWithin } from '../domain/within.js';

/** Most that an answer is held back. */
const LINGER_MS_MAX = 1_000;

export async function handleLaunchContainer(
  parts: ExecutorParts,
  { containerId, spec, logLimits, lingerDuration }: LaunchContainerRequest,
): Promise<LaunchContainerResponse> {
  const id = parseContainerId(containerId);
  const lingerMs = lingerMsOf(lingerDuration);
  const { first, trace } = await launchContainer(parts, { id, spec, logLimits });
  if (lingerMs > 0) {
    const begun = performance.now();
    await settlesWithin(lingerMs, first.ended);
    // Not a part of the start: whoever reads the trace can take it off.
    trace.phases.push({ name: 'linger', elapsedDuration: durationOf(performance.now() - begun) });
  }
  return { process: first.toProto(), trace };
}

function lingerMsOf(duration: LaunchContainerRequest['lingerDuration']): number {
  if (duration === undefined) return 0;
  const ms = duration.seconds * 1000 + duration.nanos / 1e6;
  if (ms >= 0 && ms <= LINGER_MS_MAX) return ms;
  throw teuError('INVALID_ARGUMENT', 'linger_duration is from 0 to 1 second');
}

function durationOf(ms: number) {
  return { seconds: Math.trunc(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
}
