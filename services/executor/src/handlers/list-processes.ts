import { parseContainerId } from '@teu/ids';
import type { ListProcessesRequest, ListProcessesResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { listProcesses } from '../domain/list-processes.js';

export async function handleListProcesses(
  parts: ExecutorParts,
  { pageSize, pageToken, containerId }: ListProcessesRequest,
): Promise<ListProcessesResponse> {
  const { processes, nextPageToken } = listProcesses(parts.registry, {
    pageSize,
    pageToken,
    containerId: containerId === '' ? undefined : parseContainerId(containerId),
  });
  return { processes: processes.map((process) => process.toProto()), nextPageToken };
}
