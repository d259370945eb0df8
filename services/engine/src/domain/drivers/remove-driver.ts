import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { DriverOrigin } from '@teu/proto/engine';
import { DriverAction } from '@teu/proto/event';
import { ImageServiceService } from '@teu/proto/image';
import type { EngineParts } from '../engine-parts.js';
import { announceDriver } from './driver-events.js';

/** A driver may have hundreds of layers, and take its time with each. */
const RELEASE_TIMEOUT_MS = 15 * 60_000;
const NAMES_SHOWN = 10;

/**
 * Forgets a driver, after the layers of images are gone from it. With force they are left to it, as is what ended
 * containers left, and it need not answer. A crash on the way leaves a driver with fewer layers, which are unpacked
 * again when they are needed.
 * @returns number of layers that were removed or left
 * @throws DRIVER_NOT_FOUND, DRIVER_IN_USE, SNAPSHOT_IN_USE, DRIVER_UNAVAILABLE
 */
export async function removeDriver(
  parts: EngineParts,
  name: string,
  force: boolean,
): Promise<number> {
  const { drivers, driverNews, images, log, peers, pool, teardown } = parts;
  drivers.get(name);
  requireUnused(parts, name);
  const endLeaving = drivers.beginLeaving(name);
  try {
    await pool.dropDriver(name);
    if (force) teardown.forgetDriver(name);
    else await teardown.settleDriver(name);
    const { layerCount } = await peers.image.call(
      ImageServiceService.releaseDriver,
      { name, force },
      { timeoutMs: RELEASE_TIMEOUT_MS },
    );
    failpoint('engine.driver.after-release');
    requireUnused(parts, name);
    drivers.remove(name, () => announceDriver(parts, DriverAction.DRIVER_ACTION_REMOVED, name));
    // Another one may come under this name, and has none of the layers.
    images.forget();
    await driverNews.tell().catch((error: unknown) => {
      log.info({ err: error, driver: name }, 'the image service still knows the driver');
    });
    return layerCount;
  } finally {
    endLeaving();
  }
}

/** @throws DRIVER_IN_USE saying by what */
function requireUnused({ drivers, registry }: EngineParts, name: string): void {
  if (drivers.find(name)?.origin === DriverOrigin.DRIVER_ORIGIN_CONFIGURED) {
    throw inUse(
      name,
      `is one of the configuration; take it out of the engine's --drivers and start the engine again`,
    );
  }
  if (drivers.defaultName === name) {
    throw inUse(name, 'is the default one; make another one the default first');
  }
  const users = registry.onDriver(name).map(({ container }) => container.name);
  if (users.length === 0) return;
  const shown = users.slice(0, NAMES_SHOWN).join(', ');
  const more = users.length > NAMES_SHOWN ? ` and ${users.length - NAMES_SHOWN} more` : '';
  throw inUse(name, `has containers that stand on it: ${shown}${more}`, shown);
}

function inUse(name: string, why: string, containers = ''): Error {
  return teuError('DRIVER_IN_USE', `the storage driver "${name}" ${why}`, {
    metadata: { driver: name, ...(containers === '' ? {} : { containers }) },
  });
}
