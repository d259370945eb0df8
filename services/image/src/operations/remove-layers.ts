import { isTeuError, teuError } from '@teu/errors';
import type { ImageRecord } from '../domain/image-record.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { ImageParts } from './image-parts.js';

type Parts = Pick<ImageParts, 'drivers' | 'images' | 'layerMutex' | 'pins' | 'snapshots'>;

/**
 * Removes the layers that only this image needs from all drivers, from the top down. What is below the top and can't
 * go now is unused once the image is gone, and goes then; so does what is in a driver that is not known any more.
 * @param force go on without drivers that do not answer
 * @returns chain ids of layers that are in no driver any more
 * @throws IMAGE_IN_USE if something stands on the top layer; DRIVER_UNAVAILABLE, then nothing was removed
 */
export async function removeLayers(
  parts: Parts,
  image: ImageRecord,
  force: boolean,
): Promise<string[]> {
  const { snapshots } = parts;
  const chainIds = ownChainIds(parts, image);
  const holders = new Set(await answeringHolders(parts, image, chainIds, force));
  for (const [index, chainId] of chainIds.entries()) {
    const isTop = index === 0;
    for (const driver of holders) {
      if (snapshots.find(driver.name, chainId) === undefined) continue;
      const answer = await removeLayer(parts, driver, chainId, force || !isTop);
      if (answer === 'removed') continue;
      if (isTop && answer !== 'unavailable') throw inUse(image, driver, answer);
      holders.delete(driver);
    }
  }
  return chainIds.filter((chainId) => snapshots.driversOf(chainId).length === 0);
}

/** From the top down to the first that another image needs as well. */
function ownChainIds({ images }: Parts, image: ImageRecord): string[] {
  const chainIds = image.layers.map(({ chainId }) => chainId).reverse();
  const shared = chainIds.findIndex((chainId) => images.chainUsers(chainId, image.id) > 0);
  return shared < 0 ? chainIds : chainIds.slice(0, shared);
}

/** The drivers that hold some of the layers and answer. Asked before anything is removed, beside each other. */
async function answeringHolders(
  { drivers, snapshots }: Parts,
  image: ImageRecord,
  chainIds: string[],
  force: boolean,
): Promise<LayerDriver[]> {
  const names = new Set(chainIds.flatMap((chainId) => snapshots.driversOf(chainId)));
  const holders = [...names].flatMap((name) => drivers.find(name) ?? []);
  const answers = await Promise.all(
    holders.map(async (driver) => {
      try {
        await driver.hasCommitted(chainIds[0] ?? '');
        return driver;
      } catch (error) {
        if (!isTeuError(error, 'DRIVER_UNAVAILABLE')) throw error;
        if (!force) throw unavailable(image, driver, error);
        return undefined;
      }
    }),
  );
  return answers.filter((driver) => driver !== undefined);
}

async function removeLayer(
  { layerMutex, pins, snapshots }: Parts,
  driver: LayerDriver,
  chainId: string,
  mayFail: boolean,
): Promise<'removed' | 'in use' | 'pinned' | 'unavailable'> {
  return layerMutex.run(`${driver.name} ${chainId}`, async () => {
    if (pins.has(chainId)) return 'pinned';
    try {
      const answer = await driver.remove(chainId);
      if (answer === 'removed') snapshots.forget(driver.name, chainId);
      return answer;
    } catch (error) {
      if (mayFail && isTeuError(error, 'DRIVER_UNAVAILABLE')) return 'unavailable';
      throw error;
    }
  });
}

function inUse(image: ImageRecord, driver: LayerDriver, answer: 'in use' | 'pinned'): Error {
  const name = image.names[0] ?? image.id;
  const why =
    answer === 'pinned'
      ? 'is being loaded or prepared'
      : `has containers that stand on it in the storage driver ${driver.name}`;
  return teuError('IMAGE_IN_USE', `the image ${name} ${why}; it stays`, {
    metadata: { image: image.id, name, driver: driver.name },
  });
}

function unavailable(image: ImageRecord, { name: driver }: LayerDriver, cause: Error): Error {
  const name = image.names[0] ?? image.id;
  const text =
    `the image ${name} has layers in the storage driver ${driver}, which gives no answer; nothing was removed. ` +
    'With force the image goes now, and these layers when the driver is back';
  return teuError('DRIVER_UNAVAILABLE', text, { metadata: { image: image.id, driver }, cause });
}
