import type { ListBaseUpgradesRequest, ListBaseUpgradesResponse } from '@teu/proto/engine';
import { pageRequest, pageToken } from '../domain/bases/positions.js';
import type { Engine } from '../domain/engine.js';

/** Lists upgrades of bases, newest first. */
export const listBaseUpgradesHandler =
  (engine: Engine) =>
  async (request: ListBaseUpgradesRequest): Promise<ListBaseUpgradesResponse> => {
    const { items, next } = engine.upgrades.page(pageRequest(request));
    return { upgrades: items, nextPageToken: pageToken(next) };
  };
