import { isTeuError } from '@teu/errors';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { ProcessInput } from './attachment.js';
import type { EngineParts } from './engine-parts.js';

/** Input of a client that may also send signals. */
export type SignallingInput = ProcessInput | { $case: 'signal'; value: number };

/** Takes the signals out of a client's messages and sends them to the process. */
export async function* withoutSignals(
  { peers }: Pick<EngineParts, 'peers'>,
  { containerId, execId }: { containerId: string; execId: string },
  input: AsyncIterable<SignallingInput>,
): AsyncGenerator<ProcessInput, void, undefined> {
  for await (const part of input) {
    if (part.$case !== 'signal') {
      yield part;
      continue;
    }
    try {
      const request = { containerId, execId, signal: part.value };
      await peers.executor.call(ExecutorServiceService.signalProcess, request);
    } catch (error) {
      // It has ended; the client will hear of that soon.
      if (!isTeuError(error, 'PROCESS_NOT_RUNNING')) throw error;
    }
  }
}
