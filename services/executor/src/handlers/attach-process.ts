import { teuError } from '@teu/errors';
import type { AttachProcessRequest, AttachProcessResponse } from '@teu/proto/executor';
import type { CallContext } from '@teu/rpc';
import { attachProcess } from '../domain/attach-process.js';
import type { ExecutorParts } from '../domain/executor-parts.js';
import { findProcess } from './parse-process-id.js';

export async function* handleAttachProcess(
  parts: ExecutorParts,
  requests: AsyncIterable<AttachProcessRequest>,
  { signal }: CallContext,
): AsyncGenerator<AttachProcessResponse, void, undefined> {
  const messages = requests[Symbol.asyncIterator]();
  const first = await messages.next();
  const part = first.done === true ? undefined : first.value.part;
  if (part?.$case !== 'attach') {
    throw teuError('INVALID_ARGUMENT', 'the first message is not attach', {
      metadata: { field: 'attach' },
    });
  }
  const target = part.value;
  if (!Number.isInteger(target.fromOffset) || target.fromOffset < -1) {
    throw teuError('INVALID_ARGUMENT', 'attach.from_offset is less than -1', {
      metadata: { field: 'attach.from_offset' },
    });
  }
  const rest = { [Symbol.asyncIterator]: () => messages };
  yield* attachProcess(findProcess(parts, target), target, rest, signal);
}
