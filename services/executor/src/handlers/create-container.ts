import { parseContainerId } from '@teu/ids';
import type { CreateContainerRequest, CreateContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { createContainer } from '../domain/launch-container.js';

export async function handleCreateContainer(
  parts: ExecutorParts,
  { containerId, spec, logLimits }: CreateContainerRequest,
): Promise<CreateContainerResponse> {
  const id = parseContainerId(containerId);
  const { first, trace } = await createContainer(parts, { id, spec, logLimits });
  return { process: first.toProto(), trace };
}
