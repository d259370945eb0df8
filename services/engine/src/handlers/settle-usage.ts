import { teuError } from '@teu/errors';
import type { SettleUsageRequest, SettleUsageResponse } from '@teu/proto/engine';
import { msFromDuration } from '../domain/durations.js';
import type { Engine } from '../domain/engine.js';

const DEFAULT_MS = 1_000;
const LONGEST_MS = 30_000;

/** Waits until what runs have used is on record. */
export const settleUsageHandler =
  (engine: Engine) =>
  async (request: SettleUsageRequest): Promise<SettleUsageResponse> => {
    const timeoutMs = msFromDuration(request.timeoutDuration) ?? DEFAULT_MS;
    if (timeoutMs < 0 || timeoutMs > LONGEST_MS) {
      const problem = `timeout_duration is not between 0 and ${LONGEST_MS / 1000} seconds`;
      throw teuError('INVALID_ARGUMENT', problem, { metadata: { field: 'timeout_duration' } });
    }
    return { pendingCount: await engine.teardown.settleUsage(timeoutMs) };
  };
