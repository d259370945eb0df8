import { BaseServiceService } from '@teu/proto/engine';
import { implement, type Implementation } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { editBaseHandler } from './edit-base.js';
import { getBaseUpgradeHandler } from './get-base-upgrade.js';
import { listBaseEditsHandler } from './list-base-edits.js';
import { listBaseUpgradesHandler } from './list-base-upgrades.js';
import { planBaseUpgradeHandler } from './plan-base-upgrade.js';
import { undoBaseUpgradeHandler } from './undo-base-upgrade.js';
import { upgradeBaseHandler } from './upgrade-base.js';

/** Upgrades and changes bases for all that stands on them. */
export function baseService(engine: Engine): Implementation {
  return implement(BaseServiceService, {
    planBaseUpgrade: planBaseUpgradeHandler(engine),
    upgradeBase: upgradeBaseHandler(engine),
    undoBaseUpgrade: undoBaseUpgradeHandler(engine),
    listBaseUpgrades: listBaseUpgradesHandler(engine),
    getBaseUpgrade: getBaseUpgradeHandler(engine),
    editBase: editBaseHandler(engine),
    listBaseEdits: listBaseEditsHandler(engine),
  });
}
