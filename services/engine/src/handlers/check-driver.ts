import type { CheckDriverRequest, CheckDriverResponse } from '@teu/proto/engine';
import { CheckSnapshotsRequest } from '@teu/proto/storage';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Has a driver check its snapshots, at the pace at which the client reads. */
export const checkDriverHandler = (engine: Engine) =>
  async function* (
    { name, check: request = CheckSnapshotsRequest.create() }: CheckDriverRequest,
    { signal }: CallContext,
  ): AsyncGenerator<CheckDriverResponse> {
    for await (const check of engine.drivers.get(name).check(request, signal)) yield { check };
  };
