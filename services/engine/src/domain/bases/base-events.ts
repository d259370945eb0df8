import { makeEvent } from '@teu/events';
import { BaseAction, BaseEvent } from '@teu/proto/event';
import type { BaseUpgrade } from '@teu/proto/engine';
import type { EngineParts } from '../engine-parts.js';

type Parts = Pick<EngineParts, 'journal' | 'node'>;

/** Records a fact about an upgrade in the journal and the outbox, in the caller's transaction. */
export function announceUpgrade(parts: Parts, action: BaseAction, upgrade: BaseUpgrade): void {
  const { doneCount, undoneCount, scheduledCount, failedCount } = upgrade;
  const isUndo = action === BaseAction.BASE_ACTION_UPGRADE_UNDONE;
  announceBase(parts, {
    action,
    upgradeId: upgrade.id,
    oldImageId: upgrade.oldImageId,
    newImageId: upgrade.newImageId,
    imageCount: upgrade.imageCount,
    containerCount: isUndo ? undoneCount : doneCount,
    scheduledCount,
    failedCount,
  });
}

/** Records a fact about a base, likewise. */
export function announceBase({ journal, node }: Parts, fact: Partial<BaseEvent>): void {
  const payload = { $case: 'base' as const, value: BaseEvent.create(fact) };
  journal.append(makeEvent({ node, source: 'engine', payload }));
}
