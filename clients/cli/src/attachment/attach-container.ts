import {
  EngineServiceService,
  type AttachContainerRequest,
  type Container,
} from '@teu/proto/engine';
import type { Context } from '../context.js';
import { AttachedInput } from './attached-input.js';
import { checkTerminal, reportExit } from './exit-report.js';
import { writeRecord } from './output-records.js';

/** What an attachment passes on. */
export interface AttachOptions {
  readonly stdin: boolean;
  readonly signals: boolean;
  /** Offset of the log to begin at; -1 for its present end. */
  readonly fromOffset: number;
  /** Output that came before is not shown. */
  readonly since?: Date;
}

/**
 * Connects the command to a running container until it ends, or until the keys to detach are pressed.
 * @returns the container's exit code
 */
export async function attachContainer(
  context: Context,
  container: Container,
  options: AttachOptions,
): Promise<number> {
  const terminal = container.spec?.terminal ?? false;
  const stdin = options.stdin && (container.spec?.stdinOpen ?? false);
  checkTerminal(context, stdin, terminal);
  const input = new AttachedInput(context, {
    stdin,
    terminal,
    signals: options.signals && !terminal,
  });
  const detach = new AbortController();
  input.onDetach(() => {
    detach.abort();
  });
  const responses = context.services.engine.bidi(
    EngineServiceService.attachContainer,
    requests(context, container, input, options.fromOffset),
    { signal: AbortSignal.any([context.abort, detach.signal]) },
  );
  const sinceMicros = (options.since?.getTime() ?? 0) * 1000;
  try {
    for await (const { part } of responses) {
      if (part?.$case === 'record' && part.value.unixMicros >= sinceMicros)
        await writeRecord(context, part.value);
      if (part?.$case !== 'exit') continue;
      input.close();
      return await reportExit(context, part.value, container.spec);
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
  context: Context,
  container: Container,
  input: AttachedInput,
  fromOffset: number,
): AsyncGenerator<AttachContainerRequest> {
  yield { part: { $case: 'attach', value: { container: container.id, fromOffset } } };
  for await (const part of input) {
    if (part.$case !== 'signal') {
      yield { part };
      continue;
    }
    // The attachment carries no signals; they go by a call of their own.
    await context.services.engine
      .unary(EngineServiceService.killContainer, {
        container: container.id,
        signal: String(part.value),
      })
      .catch(() => undefined);
  }
}
