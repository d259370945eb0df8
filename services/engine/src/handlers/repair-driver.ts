import type { RepairDriverRequest, RepairDriverResponse } from '@teu/proto/engine';
import { RepairSnapshotsRequest } from '@teu/proto/storage';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Has a driver repair its snapshots, at the pace at which the client reads. */
export const repairDriverHandler = (engine: Engine) =>
  async function* (
    { name, repair: request = RepairSnapshotsRequest.create() }: RepairDriverRequest,
    { signal }: CallContext,
  ): AsyncGenerator<RepairDriverResponse> {
    for await (const repair of engine.drivers.get(name).repair(request, signal)) yield { repair };
  };
