import type { ResizeTerminalRequest, ResizeTerminalResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { checkConsoleSize } from '../domain/plan/process.js';
import { resizeTerminal } from '../domain/signal-process.js';
import { findProcess } from './parse-process-id.js';

export async function handleResizeTerminal(
  parts: ExecutorParts,
  request: ResizeTerminalRequest,
): Promise<ResizeTerminalResponse> {
  const size = checkConsoleSize(request.size, 'size');
  await resizeTerminal(findProcess(parts, request), size);
  return {};
}
