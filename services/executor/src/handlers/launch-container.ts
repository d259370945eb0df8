import { parseContainerId } from '@teu/ids';
import type { LaunchContainerRequest, LaunchContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { launchContainer } from '../domain/launch-container.js';
import { linger, lingerMsOf } from './linger.js';

export async function handleLaunchContainer(
  parts: ExecutorParts,
  { containerId, spec, logLimits, lingerDuration }: LaunchContainerRequest,
): Promise<LaunchContainerResponse> {
  const id = parseContainerId(containerId);
  const lingerMs = lingerMsOf(lingerDuration);
  const launched = await launchContainer(parts, { id, spec, logLimits });
  await linger(launched, lingerMs);
  return { process: launched.first.toProto(), trace: launched.trace };
}
