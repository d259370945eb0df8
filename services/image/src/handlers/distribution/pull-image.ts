import type { PullImageRequest, PullImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../../operations/image-parts.js';
import { pullImage } from '../../operations/pull-image.js';
import { toImage } from '../image-message.js';
import { streamTransfer } from './transfer-stream.js';

export function pullImageHandler(parts: ImageParts) {
  return async function* (
    request: PullImageRequest,
    { requestId, signal }: CallContext,
  ): AsyncIterable<PullImageResponse> {
    const events = streamTransfer((listener) =>
      pullImage(parts, request, { requestId, signal, ...listener }),
    );
    for await (const event of events) {
      if (event.$case !== 'end') {
        yield { event };
        continue;
      }
      const { image, ...facts } = event.value;
      yield { event: { $case: 'result', value: { image: toImage(image), ...facts } } };
    }
  };
}
