import { parseContainerId } from '@teu/ids';
import type { LaunchContainerRequest, LaunchContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { launchContainer } from '../domain/launch-container.js';

export async function handleLaunchContainer(
  parts: ExecutorParts,
  { containerId, spec, logLimits }: LaunchContainerRequest,
): Promise<LaunchContainerResponse> {
  const id = parseContainerId(containerId);
  const { first, trace } = await launchContainer(parts, { id, spec, logLimits });
  return { process: first.toProto(), trace };
}
