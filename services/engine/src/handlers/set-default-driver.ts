import type { SetDefaultDriverRequest, SetDefaultDriverResponse } from '@teu/proto/engine';
import type { Engine } from '../domain/engine.js';
import { setDefaultDriver } from '../domain/drivers/set-default-driver.js';

/** Chooses the storage driver of what names none. */
export const setDefaultDriverHandler =
  (engine: Engine) =>
  async ({ name }: SetDefaultDriverRequest): Promise<SetDefaultDriverResponse> => {
    await setDefaultDriver(engine, name);
    return {};
  };
