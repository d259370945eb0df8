import {
  EngineServiceService,
  type Container,
  type ContainerSpec,
  type RunAttachedRequest,
} from '@teu/proto/engine';
import { randomUUID } from 'node:crypto';
import type { Context } from '../context.js';
import { AttachedInput } from './attached-input.js';
import { checkTerminal, reportExit } from './exit-report.js';
import { writeRecord } from './output-records.js';

/** Runs a container in the foreground: its output, input, signals and exit code are the command's. */
export async function runAttached(context: Context, spec: ContainerSpec): Promise<number> {
  checkTerminal(context, spec.stdinOpen, spec.terminal);
  const input = new AttachedInput(context, {
    stdin: spec.stdinOpen,
    terminal: spec.terminal,
    signals: !spec.terminal,
  });
  const detach = new AbortController();
  input.onDetach(() => {
    detach.abort();
  });
  try {
    return await follow(context, spec, input, AbortSignal.any([context.abort, detach.signal]));
  } catch (error) {
    if (input.detached) return 0;
    throw error;
  } finally {
    input.close();
  }
}

async function* requests(
  spec: ContainerSpec,
  input: AttachedInput,
): AsyncGenerator<RunAttachedRequest> {
  yield { part: { $case: 'run', value: { spec, wait: false, requestId: randomUUID() } } };
  for await (const part of input) yield { part };
}

async function follow(
  context: Context,
  spec: ContainerSpec,
  input: AttachedInput,
  signal: AbortSignal,
): Promise<number> {
  let started: Container | undefined;
  const responses = context.services.engine.bidi(
    EngineServiceService.runAttached,
    requests(spec, input),
    { signal },
  );
  for await (const { part } of responses) {
    switch (part?.$case) {
      case 'started':
        started = part.value;
        break;
      case 'record':
        await writeRecord(context, part.value);
        break;
      case 'exit':
        input.close();
        return await reportExit(context, part.value, started?.spec ?? spec);
      case undefined:
        break;
    }
  }
  return reportExit(context, undefined, undefined);
}
