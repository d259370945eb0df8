import { parseContainerId } from '@teu/ids';
import type { LaunchPreparedRequest, LaunchPreparedResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { launchPrepared } from '../domain/prepared-container.js';
import { linger, lingerMsOf } from './linger.js';

export async function handleLaunchPrepared(
  parts: ExecutorParts,
  { containerId, spec, lingerDuration }: LaunchPreparedRequest,
): Promise<LaunchPreparedResponse> {
  const { first } = parts.registry.container(parseContainerId(containerId));
  const lingerMs = lingerMsOf(lingerDuration);
  const launched = await launchPrepared(parts, first, spec);
  await linger(launched, lingerMs);
  return { process: first.toProto(), trace: launched.trace };
}
