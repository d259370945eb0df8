import type { AddDriverRequest, AddDriverResponse } from '@teu/proto/engine';
import { DriverAddress } from '@teu/proto/storage';
import { addDriver } from '../domain/drivers/add-driver.js';
import { describeDriver } from '../domain/drivers/describe-driver.js';
import type { Engine } from '../domain/engine.js';

/** Makes a storage driver known. */
export const addDriverHandler =
  (engine: Engine) =>
  async ({ address = DriverAddress.create() }: AddDriverRequest): Promise<AddDriverResponse> => {
    await addDriver(engine, address);
    const known = engine.drivers.find(address.name);
    return { driver: known && (await describeDriver(engine, known)) };
  };
