import type { Logger } from '@teu/log';
import {
  DriverRegistryServiceService,
  DriverState,
  type RegisteredDriver,
} from '@teu/proto/engine';
import { listDrivers, nameOfDriver } from '../commands/driver/list-drivers.js';
import { changeTimeoutMs } from '../commands/driver/timeouts.js';
import type { Context } from '../context.js';
import type { DriverChoice } from './choose-drivers.js';
import type { UpEvent } from './supervisor.js';

/**
 * Has the engine take the driver that was asked for as the default one, whatever was chosen before,
 * and tells what whoever brings the engine up would not expect: another default, a driver that does
 * not answer. Never fails: the engine is up all the same.
 */
export async function settleDefaultDriver(
  context: Pick<Context, 'services'>,
  { drivers, asked }: DriverChoice,
  report: (event: UpEvent) => void,
  log: Logger,
): Promise<void> {
  const caller = { services: context.services, abort: new AbortController().signal };
  try {
    const [wanted = ''] = drivers;
    const known = await listDrivers(caller);
    const current = known.find(({ isDefault }) => isDefault);
    if (asked.length > 0) {
      // Also if it is that already: the next time there may be others before it.
      await context.services.engine.unary(
        DriverRegistryServiceService.setDefaultDriver,
        { name: wanted },
        { timeoutMs: changeTimeoutMs },
      );
    } else if (current !== undefined && nameOfDriver(current) !== wanted) {
      const text = `the default storage driver is ${nameOfDriver(current)}, as chosen before`;
      report({ kind: 'note', text });
    }
    for (const text of silent(known, drivers)) report({ kind: 'note', text });
  } catch (error) {
    log.error({ err: error }, 'the default storage driver could not be settled');
    report({ kind: 'note', text: 'the default storage driver is not settled; see: teu driver ls' });
  }
}

/** Drivers of others that do not answer; our own were told about when they were started. */
function silent(known: readonly RegisteredDriver[], own: readonly string[]): string[] {
  return known
    .filter(({ state }) => state === DriverState.DRIVER_STATE_UNAVAILABLE)
    .filter((driver) => !own.includes(nameOfDriver(driver)))
    .map(
      (driver) =>
        `the storage driver ${nameOfDriver(driver)} is unavailable: ${driver.stateDetail}`,
    );
}
