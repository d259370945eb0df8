import type { GetProcessRequest, GetProcessResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { findProcess } from './parse-process-id.js';

export async function handleGetProcess(
  parts: ExecutorParts,
  request: GetProcessRequest,
): Promise<GetProcessResponse> {
  return { process: findProcess(parts, request).toProto() };
}
