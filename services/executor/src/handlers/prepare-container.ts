import { parseContainerId } from '@teu/ids';
import type { PrepareContainerRequest, PrepareContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { prepareContainer } from '../domain/prepared-container.js';

export async function handlePrepareContainer(
  parts: ExecutorParts,
  { containerId, spec, logLimits }: PrepareContainerRequest,
): Promise<PrepareContainerResponse> {
  const id = parseContainerId(containerId);
  const first = await prepareContainer(parts, { id, spec, logLimits });
  return { process: first.toProto() };
}
