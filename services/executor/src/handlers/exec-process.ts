import { parseContainerId, parseExecId } from '@teu/ids';
import type { ExecProcessRequest, ExecProcessResponse } from '@teu/proto/executor';
import { execProcess } from '../domain/exec-process.js';
import type { ExecutorParts } from '../domain/executor-parts.js';

export async function handleExecProcess(
  parts: ExecutorParts,
  request: ExecProcessRequest,
): Promise<ExecProcessResponse> {
  const container = parts.registry.container(parseContainerId(request.containerId));
  const { process, logLimits } = request;
  const execId = parseExecId(request.execId);
  const entry = await execProcess(parts, container, { execId, process, logLimits });
  return { process: entry.toProto() };
}
