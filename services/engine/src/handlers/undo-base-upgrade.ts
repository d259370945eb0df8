import type { UndoBaseUpgradeRequest, UndoBaseUpgradeResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { findUpgrade } from '../domain/bases/find-upgrade.js';
import type { Engine } from '../domain/engine.js';

/** Undoes an upgrade of a base, and tells what happens. It goes on when the client has left. */
export const undoBaseUpgradeHandler = (engine: Engine) =>
  async function* (
    { upgradeId }: UndoBaseUpgradeRequest,
    { signal }: CallContext,
  ): AsyncGenerator<UndoBaseUpgradeResponse> {
    const steps = await engine.bases.undo(findUpgrade(engine, upgradeId));
    for await (const step of steps.read(signal)) yield { step };
  };
