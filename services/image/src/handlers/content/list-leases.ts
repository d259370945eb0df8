import { parsePageSize } from '@teu/ids';
import { teuError } from '@teu/errors';
import type { ListLeasesRequest, ListLeasesResponse } from '@teu/proto/image';
import type { ImageParts } from '../../operations/image-parts.js';

export function listLeasesHandler({ leases }: Pick<ImageParts, 'leases'>) {
  return async ({ pageSize, pageToken }: ListLeasesRequest): Promise<ListLeasesResponse> => {
    const size = parsePageSize(pageSize);
    if (!/^[0-9a-f-]{0,36}$/.test(pageToken)) {
      throw teuError('INVALID_ARGUMENT', 'page_token is not one of this service', {
        metadata: { field: 'page_token' },
      });
    }
    // One more than asked for tells whether there is another page.
    const found = leases.page(pageToken, size + 1);
    const page = found.slice(0, size);
    const nextPageToken = found.length > size ? (page.at(-1)?.id ?? '') : '';
    return Promise.resolve({ leases: page, nextPageToken });
  };
}
