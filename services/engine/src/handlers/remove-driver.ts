import type { RemoveDriverRequest, RemoveDriverResponse } from '@teu/proto/engine';
import { removeDriver } from '../domain/drivers/remove-driver.js';
import type { Engine } from '../domain/engine.js';

/** Forgets a storage driver. */
export const removeDriverHandler =
  (engine: Engine) =>
  async ({ name, force }: RemoveDriverRequest): Promise<RemoveDriverResponse> => ({
    removedLayerCount: await removeDriver(engine, name, force),
  });
