import type { DeleteProcessRequest, DeleteProcessResponse } from '@teu/proto/executor';
import { deleteProcess } from '../domain/delete-process.js';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { parseProcessId } from './parse-process-id.js';

export async function handleDeleteProcess(
  parts: ExecutorParts,
  request: DeleteProcessRequest,
): Promise<DeleteProcessResponse> {
  const [id, execId] = parseProcessId(request);
  const container = parts.registry.lookUp(id);
  const entry = execId === '' ? container?.first : container?.execs.get(execId);
  // What is gone already is what the caller wants.
  if (entry !== undefined) await deleteProcess(parts, entry, request.force);
  return {};
}
