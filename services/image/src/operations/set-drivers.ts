import { checkDriverAddress } from '@teu/driver-client';
import { teuError } from '@teu/errors';
import type { KnownDrivers } from '../layers/drivers.js';
import type { ImageParts } from './image-parts.js';

/**
 * Takes note of which drivers there are, durably. What waits for one that has come back is done.
 * @throws INVALID_ARGUMENT, INVALID_ID
 */
export function setDrivers(
  { chores, drivers, driverTable }: Pick<ImageParts, 'chores' | 'drivers' | 'driverTable'>,
  known: KnownDrivers,
): void {
  const { addresses, defaultName } = known;
  addresses.forEach((address, index) => checkDriverAddress(address, `drivers[${index}]`));
  const names = addresses.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    const field = 'drivers';
    throw teuError('INVALID_ARGUMENT', `${field} has a name twice`, { metadata: { field } });
  }
  if (addresses.length > 0 && !names.includes(defaultName)) {
    const field = 'default_driver';
    throw teuError('INVALID_ARGUMENT', `${field} is none of the drivers`, { metadata: { field } });
  }
  driverTable.save(known);
  drivers.replace(known);
  chores.request();
}
