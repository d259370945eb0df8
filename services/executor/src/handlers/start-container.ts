import { parseContainerId } from '@teu/ids';
import type { StartContainerRequest, StartContainerResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { startContainer } from '../domain/start-container.js';

export async function handleStartContainer(
  parts: ExecutorParts,
  { containerId }: StartContainerRequest,
): Promise<StartContainerResponse> {
  const { first } = parts.registry.container(parseContainerId(containerId));
  await startContainer(parts, first);
  return { process: first.toProto() };
}
