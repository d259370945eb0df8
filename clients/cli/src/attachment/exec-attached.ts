import {
  EngineServiceService,
  type ExecAttachedRequest,
  type ExecContainerRequest,
} from '@teu/proto/engine';
import type { Context } from '../context.js';
import { AttachedInput } from './attached-input.js';
import { checkTerminal, reportExit } from './exit-report.js';
import { writeRecord } from './output-records.js';

/** Runs a program in a running container in the foreground. Returns its exit code. */
export async function execAttached(
  context: Context,
  request: ExecContainerRequest,
): Promise<number> {
  const stdin = request.spec?.stdinOpen ?? false;
  const terminal = request.spec?.terminal ?? false;
  checkTerminal(context, stdin, terminal);
  const input = new AttachedInput(context, { stdin, terminal, signals: !terminal });
  const detach = new AbortController();
  input.onDetach(() => {
    detach.abort();
  });
  const responses = context.services.engine.bidi(
    EngineServiceService.execAttached,
    requests(request, input),
    { signal: AbortSignal.any([context.abort, detach.signal]) },
  );
  try {
    for await (const { part } of responses) {
      if (part?.$case === 'record') await writeRecord(context, part.value);
      if (part?.$case !== 'exit') continue;
      input.close();
      return await reportExit(context, part.value, undefined);
    }
  } catch (error) {
    if (!input.detached) throw error;
    return 0;
  } finally {
    input.close();
  }
  return reportExit(context, undefined, undefined);
}

async function* requests(
  request: ExecContainerRequest,
  input: AttachedInput,
): AsyncGenerator<ExecAttachedRequest> {
  yield { part: { $case: 'exec', value: request } };
  for await (const part of input) yield { part };
}
