import type { ListDriversResponse } from '@teu/proto/engine';
import { describeDriver } from '../domain/drivers/describe-driver.js';
import type { Engine } from '../domain/engine.js';

/** Lists the storage drivers and how each is, asked beside each other. */
export const listDriversHandler = (engine: Engine) => async (): Promise<ListDriversResponse> => ({
  drivers: await Promise.all(engine.drivers.all().map((known) => describeDriver(engine, known))),
});
