import { clock } from '@teu/ids';
import {
  RebaseState,
  UpgradedContainer,
  type BaseUpgrade,
  type BaseUpgradeState,
  type UpgradedImage,
  type UpgradeStep,
} from '@teu/proto/engine';
import type { BaseAction } from '@teu/proto/event';
import type { EngineParts } from '../engine-parts.js';
import { announceUpgrade } from './base-events.js';
import { RebaseAbilities } from './rebase-timing.js';
import { destinedImage } from './standing.js';

/** An upgrade or an undo that is under way: what it works with, and whom it tells. */
export class UpgradeWork {
  readonly parts: EngineParts;
  readonly report: (step: UpgradeStep) => void;
  /** Whether the engine is about to end; the next start goes on. */
  readonly isStopped: () => boolean;
  readonly abilities: RebaseAbilities;

  constructor(parts: EngineParts, report: (step: UpgradeStep) => void, isStopped: () => boolean) {
    this.parts = parts;
    this.report = report;
    this.isStopped = isStopped;
    this.abilities = new RebaseAbilities(parts);
  }

  /** Records the end, and tells it. */
  end(upgrade: BaseUpgrade, state: BaseUpgradeState, action: BaseAction): void {
    const { store, upgrades } = this.parts;
    const ended = store.transaction(() => {
      upgrades.update({ ...upgrade, state, endTime: clock.now() });
      const counted = upgrades.find(upgrade.id) ?? upgrade;
      announceUpgrade(this.parts, action, counted);
      return counted;
    });
    this.report({ part: { $case: 'summary', value: ended } });
  }

  /** Containers of an image that could not be made stay where they are. */
  reportStranded(upgrade: BaseUpgrade, image: UpgradedImage): void {
    const { registry, store, upgrades } = this.parts;
    for (const { container } of registry.all()) {
      if (destinedImage(container) !== image.oldImageId) continue;
      const { id, name, driver } = container;
      const value = UpgradedContainer.create({
        ...{ id, name, driver, oldImageId: image.oldImageId },
        state: RebaseState.REBASE_STATE_FAILED,
        detail: `its image could not be made anew: ${image.error}`,
      });
      store.transaction(() => upgrades.putContainer(upgrade.id, value));
      this.report({ part: { $case: 'container', value } });
    }
  }
}
