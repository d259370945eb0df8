import type { AttachContainerRequest, AttachContainerResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { attach } from '../domain/attachment.js';
import type { Engine } from '../domain/engine.js';
import { remainingParts, takeFirst } from '../domain/first-part.js';
import { notRunning } from '../domain/container-state.js';

/** Connects to a running container's input and output. */
export const attachContainerHandler = (engine: Engine) =>
  async function* (
    requests: AsyncIterable<AttachContainerRequest>,
    { signal }: CallContext,
  ): AsyncGenerator<AttachContainerResponse> {
    const parts = requests[Symbol.asyncIterator]();
    const { container, fromOffset } = (await takeFirst(parts, 'attach')).value;
    const entry = engine.registry.resolve(container);
    if (!entry.running) throw notRunning(entry);
    const target = { containerId: entry.id, execId: '', fromOffset };
    const close = engine.readers.open(entry.id);
    try {
      const input = remainingParts(parts, 'attach');
      for await (const part of attach(engine, target, input, signal)) {
        if (part.$case !== 'exit') yield { part };
      }
    } finally {
      close();
    }
    const exit = await entry.waitUntilStopped(signal);
    if (exit !== undefined) yield { part: { $case: 'exit', value: exit } };
  };
