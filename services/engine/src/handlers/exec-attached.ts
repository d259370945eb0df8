import {
  ExecContainerResponse,
  ExecSpec,
  type ExecAttachedRequest,
  type ExecAttachedResponse,
} from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { attach } from '../domain/attachment.js';
import type { Engine } from '../domain/engine.js';
import { remainingParts, takeFirst } from '../domain/first-part.js';
import { withoutSignals } from '../domain/signal-input.js';

/** Starts another program in a running container and connects to it, in one stream. */
export const execAttachedHandler = (engine: Engine) =>
  async function* (
    requests: AsyncIterable<ExecAttachedRequest>,
    { signal }: CallContext,
  ): AsyncGenerator<ExecAttachedResponse> {
    const parts = requests[Symbol.asyncIterator]();
    const { container, spec = ExecSpec.create() } = (await takeFirst(parts, 'exec')).value;
    const entry = engine.registry.resolve(container);
    const session = await engine.execSessions.start(entry, spec);
    const { execId, pid, containerId } = session;
    const close = engine.readers.open(execId);
    try {
      const started = ExecContainerResponse.create({ execId, pid });
      yield { part: { $case: 'started', value: started } };
      const target = { containerId, execId, fromOffset: 0 };
      const input = withoutSignals(engine, target, remainingParts(parts, 'exec'));
      for await (const part of attach(engine, target, input, signal)) {
        if (part.$case === 'record') yield { part };
      }
      yield { part: { $case: 'exit', value: await session.exit } };
    } finally {
      close();
    }
  };
