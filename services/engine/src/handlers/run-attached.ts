import {
  ContainerSpec,
  type RunAttachedRequest,
  type RunAttachedResponse,
} from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attach } from '../domain/attachment.js';
import { begin } from '../domain/begin-iteration.js';
import type { Engine } from '../domain/engine.js';
import { remainingParts, takeFirst } from '../domain/first-part.js';
import { withoutSignals } from '../domain/signal-input.js';
import { flushStart } from '../domain/launch.js';
import { runContainer } from '../domain/start-road.js';
import { StartClock } from '../domain/start-trace.js';

/** Runs a container and connects to it, in one stream. */
export const runAttachedHandler = (engine: Engine) =>
  async function* (
    requests: AsyncIterable<RunAttachedRequest>,
    { signal }: CallContext,
  ): AsyncGenerator<RunAttachedResponse> {
    const parts = requests[Symbol.asyncIterator]();
    const { spec = ContainerSpec.create(), requestId } = (await takeFirst(parts, 'run')).value;
    const trace = new StartClock();
    let close: (() => void) | undefined;
    try {
      const { answer, final, entry } = await engine.repeatable.perform(
        'run',
        { spec, requestId },
        async (container) => {
          const started = await runContainer(engine, container, { trace, waits: true });
          // At once, since a container that removes itself may end before the next line runs.
          close = engine.readers.open(started.id);
          return started;
        },
      );
      if (entry === undefined) yield { part: { $case: 'started', value: answer } };
      else {
        close ??= engine.readers.open(entry.id);
        const target = { containerId: entry.id, execId: '', fromOffset: 0 };
        const input = withoutSignals(engine, target, remainingParts(parts, 'run'));
        const output = begin(attach(engine, target, input, signal));
        // The request is on its way while the start goes to disk.
        await nextTurn();
        flushStart(engine, entry);
        yield { part: { $case: 'started', value: answer } };
        for await (const part of output) if (part.$case === 'record') yield { part };
      }
      const exit = (await entry?.waitUntilStopped(signal)) ?? final?.exit;
      if (exit !== undefined) yield { part: { $case: 'exit', value: exit } };
    } finally {
      close?.();
    }
  };
