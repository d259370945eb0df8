import { teuError } from '@teu/errors';
import { parsePageSize } from '@teu/ids';
import type { ListImagesRequest, ListImagesResponse } from '@teu/proto/image';
import type { ImageRecord } from '../domain/image-record.js';
import { normalizeName, repositoryOf } from '../domain/reference.js';
import type { ImageParts } from '../operations/image-parts.js';
import type { PagePosition } from '../store/image-store.js';
import { toImage } from './image-message.js';

export function listImagesHandler({ images }: Pick<ImageParts, 'images'>) {
  return async (request: ListImagesRequest): Promise<ListImagesResponse> => {
    const size = parsePageSize(request.pageSize);
    const after = request.pageToken === '' ? undefined : parseToken(request.pageToken);
    // One more than asked for tells whether there is another page.
    const found = images.page(after, size + 1, filterOf(request.reference));
    const page = found.slice(0, size);
    const last = page.at(-1);
    return Promise.resolve({
      images: page.map(toImage),
      nextPageToken: found.length > size && last ? formatToken(last) : '',
    });
  };
}

/** A name without a tag means its whole repository. */
function filterOf(reference: string): string {
  if (reference === '') return '';
  const name = normalizeName(reference);
  const repository = repositoryOf(name);
  return reference.lastIndexOf(':') > reference.lastIndexOf('/') ? name : repository;
}

function formatToken({ loadTime, id }: ImageRecord): string {
  return Buffer.from(`${loadTime.getTime()} ${id}`).toString('base64url');
}

function parseToken(token: string): PagePosition {
  const match = /^(\d{1,15}) (sha256:[0-9a-f]{64})$/.exec(
    Buffer.from(token, 'base64url').toString(),
  );
  if (match?.[2] === undefined) {
    throw teuError('INVALID_ARGUMENT', 'page_token is not one of this service', {
      metadata: { field: 'page_token' },
    });
  }
  return { loadTime: Number(match[1]), id: match[2] };
}
