import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { LoadImageRequest, UploadImageRequest, UploadImageResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { loadImages } from '../operations/load-images.js';
import { streamLoad } from './progress-stream.js';

export function uploadImageHandler(parts: ImageParts, maxUploadBytes: number) {
  return async function* (
    requests: AsyncIterable<UploadImageRequest>,
    context: CallContext,
  ): AsyncIterable<UploadImageResponse> {
    const messages = requests[Symbol.asyncIterator]();
    const header = await readHeader(messages);
    const { requestId, signal } = context;
    yield* streamLoad((report) =>
      loadImages(parts, header, (staging) => receive(messages, staging, maxUploadBytes), {
        requestId,
        signal,
        report,
      }),
    );
  };
}

async function readHeader(messages: AsyncIterator<UploadImageRequest>): Promise<LoadImageRequest> {
  const first = await messages.next();
  const part = first.done === true ? undefined : first.value.part;
  if (part?.$case !== 'header') throw malformed('the first message has no header');
  return part.value;
}

/** Writes what the client sends into a file; one message is in memory at a time. */
async function receive(
  messages: AsyncIterator<UploadImageRequest>,
  staging: string,
  maxBytes: number,
): Promise<string> {
  const path = join(staging, 'upload');
  const file = await open(path, 'wx', 0o600);
  let size = 0;
  try {
    for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
      const { part } = next.value;
      if (part?.$case !== 'data') throw malformed('a message after the first has no data');
      size += part.value.length;
      if (size > maxBytes) {
        throw teuError('RESOURCE_EXHAUSTED', `the archive is larger than ${maxBytes} bytes`, {
          metadata: { limit: String(maxBytes) },
        });
      }
      await file.writeFile(part.value);
    }
  } finally {
    await file.close();
  }
  return path;
}

function malformed(what: string): Error {
  return teuError('INVALID_ARGUMENT', what, { metadata: { field: 'part' } });
}
