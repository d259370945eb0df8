import type { ListBaseEditsRequest, ListBaseEditsResponse } from '@teu/proto/engine';
import { pageRequest, pageToken } from '../domain/bases/positions.js';
import { findImage } from '../domain/bases/standing.js';
import type { Engine } from '../domain/engine.js';

/** Lists edits of bases, newest first. */
export const listBaseEditsHandler =
  (engine: Engine) =>
  async (request: ListBaseEditsRequest): Promise<ListBaseEditsResponse> => {
    const page = pageRequest(request);
    const image =
      request.imageId === '' ? undefined : await findImage(engine.peers, request.imageId);
    const layers = image?.layers.map(({ chainId }) => chainId);
    const { items, next } = engine.edits.page(page, layers);
    return { edits: items, nextPageToken: pageToken(next) };
  };
