import type { PushImageRequest, PushImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../../operations/image-parts.js';
import { pushImage } from '../../operations/push-image.js';
import { streamTransfer } from './transfer-stream.js';

export function pushImageHandler(parts: ImageParts) {
  return async function* (
    request: PushImageRequest,
    { requestId, signal }: CallContext,
  ): AsyncIterable<PushImageResponse> {
    const events = streamTransfer((listener) =>
      pushImage(parts, request, { requestId, signal, report: (value) => listener.report(value) }),
    );
    for await (const event of events) {
      if (event.$case === 'end') yield { event: { $case: 'result', value: event.value } };
      else if (event.$case === 'progress') yield { event };
    }
  };
}
