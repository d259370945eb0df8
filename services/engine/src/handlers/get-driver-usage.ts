import type { GetDriverUsageRequest, GetDriverUsageResponse } from '@teu/proto/engine';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Tells how much disk a driver uses. */
export const getDriverUsageHandler =
  (engine: Engine) =>
  async (
    { name }: GetDriverUsageRequest,
    { signal }: CallContext,
  ): Promise<GetDriverUsageResponse> => ({
    usage: await engine.drivers.get(name).diskUsage({ signal }),
  });
