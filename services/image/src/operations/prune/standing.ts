import { isTeuError } from '@teu/errors';
import { topChainId, type ImageRecord } from '../../domain/image-record.js';
import type { ImageParts } from '../image-parts.js';

/** Why an image stays, and whether that is because somebody uses it. */
export interface Standing {
  reason: string;
  inUse: boolean;
}

/**
 * Finds out from drivers whether something stands on an image's top layer that is no layer: a container. Who has made
 * snapshots there in advance is asked to give them up.
 * @returns undefined if nothing does
 */
export async function standingOn(
  { drivers, snapshots, watchers }: Pick<ImageParts, 'drivers' | 'snapshots' | 'watchers'>,
  image: ImageRecord,
): Promise<Standing | undefined> {
  const top = topChainId(image);
  await watchers.announce([top]);
  for (const name of snapshots.driversOf(top)) {
    const driver = drivers.find(name);
    // In one that is not told any more its layers stay anyway, until it is back.
    if (driver === undefined) continue;
    try {
      const children = await driver.children(top);
      const others = children.filter((child) => snapshots.find(name, child) === undefined);
      if (others.length === 0) continue;
      const what = others.length === 1 ? 'a container stands' : `${others.length} containers stand`;
      return { reason: `${what} on it in the storage driver ${name}`, inUse: true };
    } catch (error) {
      if (!isTeuError(error, 'DRIVER_UNAVAILABLE')) throw error;
      return { reason: error.message, inUse: false };
    }
  }
  return undefined;
}
