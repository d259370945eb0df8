import { checkDriverAddress, DriverClient } from '@teu/driver-client';
import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { DriverAction } from '@teu/proto/event';
import type { Driver, DriverAddress } from '@teu/proto/storage';
import type { EngineParts } from '../engine-parts.js';
import { announceDriver } from './driver-events.js';

const DIAL_TIMEOUT_MS = 5_000;

/**
 * Makes a driver known. It must answer now; the same again changes nothing. A crash leaves either: the image service
 * is told of the record when the engine connects to it.
 * @throws INVALID_ARGUMENT, DRIVER_EXISTS, DRIVER_UNAVAILABLE
 */
export async function addDriver(
  parts: Pick<EngineParts, 'drivers' | 'driverNews' | 'journal' | 'log' | 'node'>,
  address: DriverAddress,
): Promise<void> {
  checkDriverAddress(address);
  const { drivers, driverNews, log } = parts;
  if (drivers.has(address)) {
    // Unless it is about to go.
    drivers.forNew(address.name);
    return;
  }
  const described = await dial(address);
  if (described !== undefined) requireOwnAddress(parts, address);
  // Asked again inside, since the dial took its time.
  drivers.add(address, () => announceDriver(parts, DriverAction.DRIVER_ACTION_ADDED, address.name));
  failpoint('engine.driver.after-record');
  try {
    await driverNews.tell();
  } catch (error) {
    // It is told when it is back; until then it can't be asked for images either.
    log.info(
      { err: error, driver: address.name },
      'the image service does not know the driver yet',
    );
  }
}

async function dial(address: DriverAddress): Promise<Driver | undefined> {
  const client = new DriverClient(address);
  try {
    return await client.probe({ timeoutMs: DIAL_TIMEOUT_MS });
  } catch (error) {
    if (!isTeuError(error, 'UNIMPLEMENTED')) throw error;
    const field = 'driver.address';
    throw teuError('INVALID_ARGUMENT', `${field} leads to a server that serves no snapshots`, {
      metadata: { field },
      cause: error,
    });
  } finally {
    client.close();
  }
}

/** A server that describes itself is one driver: under two names its snapshots would get two owners. */
function requireOwnAddress(
  { drivers }: Pick<EngineParts, 'drivers'>,
  { name, address }: DriverAddress,
): void {
  const holder = drivers.all().find((known) => known.address.address === address);
  if (holder === undefined || holder.address.name === name) return;
  const other = holder.address.name;
  throw teuError('DRIVER_EXISTS', `the driver at ${address} is known already, as "${other}"`, {
    metadata: { driver: other },
  });
}
