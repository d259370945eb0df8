import { DriverRegistryServiceService } from '@teu/proto/engine';
import { implement, type Implementation } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';
import { addDriverHandler } from './add-driver.js';
import { checkDriverHandler } from './check-driver.js';
import { getDriverUsageHandler } from './get-driver-usage.js';
import { listDriversHandler } from './list-drivers.js';
import { removeDriverHandler } from './remove-driver.js';
import { repairDriverHandler } from './repair-driver.js';
import { setDefaultDriverHandler } from './set-default-driver.js';

/** Registers storage drivers, and passes on what concerns one of them. */
export function driverRegistryService(engine: Engine): Implementation {
  return implement(
    DriverRegistryServiceService,
    {
      listDrivers: listDriversHandler(engine),
      addDriver: addDriverHandler(engine),
      removeDriver: removeDriverHandler(engine),
      setDefaultDriver: setDefaultDriverHandler(engine),
      getDriverUsage: getDriverUsageHandler(engine),
      checkDriver: checkDriverHandler(engine),
      repairDriver: repairDriverHandler(engine),
    },
    // How long these take is up to what the driver holds.
    { longRunning: ['removeDriver', 'getDriverUsage'] },
  );
}
