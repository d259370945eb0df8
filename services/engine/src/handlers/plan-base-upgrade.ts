import type { PlanBaseUpgradeRequest, PlanBaseUpgradeResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import { planUpgrade } from '../domain/bases/plan-upgrade.js';
import type { Engine } from '../domain/engine.js';

/** Tells what an upgrade of a base would do. */
export const planBaseUpgradeHandler = (engine: Engine) =>
  async function* (
    request: PlanBaseUpgradeRequest,
    { signal }: CallContext,
  ): AsyncGenerator<PlanBaseUpgradeResponse> {
    for await (const part of planUpgrade(engine, request, signal)) yield { part };
  };
