import type { UpgradeBaseRequest, UpgradeBaseResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Upgrades a base, and tells what happens. It goes on when the client has left. */
export const upgradeBaseHandler = (engine: Engine) =>
  async function* (
    request: UpgradeBaseRequest,
    { signal }: CallContext,
  ): AsyncGenerator<UpgradeBaseResponse> {
    const steps = await engine.bases.upgrade(request);
    for await (const step of steps.read(signal)) yield { step };
  };
