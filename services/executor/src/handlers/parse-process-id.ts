import { parseContainerId, parseExecId, type ContainerId, type ExecId } from '@teu/ids';
import type { ExecutorParts } from '../domain/executor-parts.js';
import type { ProcessEntry } from '../domain/process-entry.js';

/** How requests name a process; an empty exec id is the container's first. */
export interface ProcessReference {
  containerId: string;
  execId: string;
}

/** Ids of a request, checked. @throws INVALID_ID */
export function parseProcessId(request: ProcessReference): [ContainerId, ExecId | ''] {
  const execId = request.execId === '' ? '' : parseExecId(request.execId);
  return [parseContainerId(request.containerId), execId];
}

/** The process that a request names. @throws INVALID_ID, CONTAINER_NOT_FOUND, EXEC_NOT_FOUND */
export function findProcess(parts: ExecutorParts, request: ProcessReference): ProcessEntry {
  return parts.registry.process(...parseProcessId(request));
}
