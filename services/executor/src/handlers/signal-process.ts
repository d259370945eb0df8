import type { SignalProcessRequest, SignalProcessResponse } from '@teu/proto/executor';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { signalProcess } from '../domain/signal-process.js';
import { findProcess } from './parse-process-id.js';

export async function handleSignalProcess(
  parts: ExecutorParts,
  request: SignalProcessRequest,
): Promise<SignalProcessResponse> {
  await signalProcess(findProcess(parts, request), request.signal);
  return {};
}
