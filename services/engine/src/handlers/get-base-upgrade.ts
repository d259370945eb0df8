import type { GetBaseUpgradeRequest, GetBaseUpgradeResponse } from '@teu/proto/engine';
import { findUpgrade } from '../domain/bases/find-upgrade.js';
import { pageRequest, pageToken } from '../domain/bases/positions.js';
import type { Engine } from '../domain/engine.js';

/** Tells what became of all that an upgrade of a base concerned. */
export const getBaseUpgradeHandler =
  (engine: Engine) =>
  async (request: GetBaseUpgradeRequest): Promise<GetBaseUpgradeResponse> => {
    const upgrade = findUpgrade(engine, request.upgradeId);
    const { items, next } = engine.upgrades.containers(upgrade.id, pageRequest(request));
    return { upgrade, containers: items, nextPageToken: pageToken(next) };
  };
