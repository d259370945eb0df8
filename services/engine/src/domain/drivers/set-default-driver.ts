import type { EngineParts } from '../engine-parts.js';

/**
 * Chooses the driver of what names none. It need not answer now.
 * @throws DRIVER_NOT_FOUND
 */
export async function setDefaultDriver(
  { drivers, driverNews, log }: Pick<EngineParts, 'drivers' | 'driverNews' | 'log'>,
  name: string,
): Promise<void> {
  drivers.chooseDefault(name, () => undefined);
  try {
    await driverNews.tell();
  } catch (error) {
    log.info(
      { err: error, driver: name },
      'the image service does not know the default driver yet',
    );
  }
}
