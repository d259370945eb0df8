import { teuError } from '@teu/errors';
import { parsePageSize } from '@teu/ids';
import type { ListTagsRequest, ListTagsResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../../operations/image-parts.js';
import { openClient } from '../../registry/open-client.js';
import { parseRepository } from '../../registry/remote-reference.js';

const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export function listTagsHandler({ registry: options }: Pick<ImageParts, 'registry'>) {
  return async (request: ListTagsRequest, { signal }: CallContext): Promise<ListTagsResponse> => {
    const { registry, repository } = parseRepository(request.repository, 'repository');
    const count = parsePageSize(request.pageSize);
    const client = openClient(options, request.credentials);
    try {
      const source = client.repository(registry, repository);
      const after = readToken(request.pageToken);
      const { tags, hasMore } = await source.listTags(count, after, signal);
      return { tags, nextPageToken: hasMore ? makeToken(tags.at(-1) ?? '') : '' };
    } finally {
      client.close();
    }
  };
}

/** The tag after which the page begins. */
function readToken(token: string): string {
  if (token === '') return '';
  const tag = Buffer.from(token, 'base64url').toString('utf8');
  if (TAG.test(tag)) return tag;
  throw teuError('INVALID_ARGUMENT', 'page_token is none that was given out', {
    metadata: { field: 'page_token' },
  });
}

function makeToken(tag: string): string {
  return Buffer.from(tag).toString('base64url');
}
