import { EngineServiceService, StopContainerRequest } from '@teu/proto/engine';
import type { Context } from '../context.js';
import { stopMarginMs, startTimeoutMs } from '../commands/timeouts.js';
import { listContainers } from '../list-pages.js';

/** What became of the running containers. */
export interface StoppedContainers {
  readonly stopped: number;
  /** One message for each that could not be stopped. */
  readonly failures: readonly string[];
}

/**
 * Stops all running containers beside each other.
 * @param seconds time that each has before it is killed; undefined for its own
 * @throws TeuError if the engine can't be asked
 */
export async function stopAllContainers(
  context: Pick<Context, 'services' | 'abort'>,
  seconds: number | undefined,
): Promise<StoppedContainers> {
  const running = await listContainers(context, { all: false });
  const timeoutMs = seconds === undefined ? startTimeoutMs : seconds * 1000 + stopMarginMs;
  const results = await Promise.allSettled(
    running.map((container) =>
      context.services.engine.unary(
        EngineServiceService.stopContainer,
        StopContainerRequest.create({
          container: container.id,
          ...(seconds === undefined ? {} : { timeoutDuration: { seconds, nanos: 0 } }),
        }),
        { timeoutMs },
      ),
    ),
  );
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected'
      ? [`${running[index]?.name ?? ''}: ${messageOf(result.reason)}`]
      : [],
  );
  return { stopped: running.length - failures.length, failures };
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
