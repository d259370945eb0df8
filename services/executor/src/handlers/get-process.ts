import type { GetProcessRequest, GetProcessResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { findProcess, parseProcessId } from './parse-process-id.js';

export async function handleGetProcess(
  parts: ExecutorParts,
  request: GetProcessRequest,
): Promise<GetProcessResponse> {
  // Whoever asks may have lost the answer to a launch that is still under way.
  const [id, execId] = parseProcessId(request);
  await parts.registry.launchEnd(id, execId);
  return { process: findProcess(parts, request).toProto() };
}
