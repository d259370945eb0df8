import { DriverAction } from '@teu/proto/event';
import type { EngineParts } from '../engine-parts.js';
import { announceDriver } from './driver-events.js';

/**
 * Chooses the driver of what names none. It need not answer now.
 * @throws DRIVER_NOT_FOUND
 */
export async function setDefaultDriver(
  parts: Pick<EngineParts, 'drivers' | 'driverNews' | 'journal' | 'log' | 'node'>,
  name: string,
): Promise<void> {
  const { drivers, driverNews, log } = parts;
  drivers.chooseDefault(name, () =>
    announceDriver(parts, DriverAction.DRIVER_ACTION_DEFAULT_SET, name),
  );
  try {
    await driverNews.tell();
  } catch (error) {
    log.info(
      { err: error, driver: name },
      'the image service does not know the default driver yet',
    );
  }
}
