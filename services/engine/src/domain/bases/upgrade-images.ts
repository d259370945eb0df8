import { isTeuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { UpgradedImage } from '@teu/proto/engine';
import { ImageServiceService, type Image } from '@teu/proto/image';
import type { Peers } from '../../peers/peers.js';
import type { EngineParts } from '../engine-parts.js';
import { problemOf } from '../failed-start.js';
import { findImage } from './standing.js';

/** An image of many layers is written anew only as far as its manifest, but its layers have to be read. */
const REBUILD_TIMEOUT_MS = 15 * 60_000;

/** How an image looks in an upgrade before anything was done. */
export function imageToUpgrade({ id, references }: Image): UpgradedImage {
  return { oldImageId: id, newImageId: '', references, movedReferences: [], error: '' };
}

/** Makes an image anew on the new base. What was made before is found again. Failures are told in the result. */
export async function rebuildImage(
  { peers, log }: Pick<EngineParts, 'peers' | 'log'>,
  image: UpgradedImage,
  { oldImageId, newImageId }: { oldImageId: string; newImageId: string },
): Promise<UpgradedImage> {
  const request = { reference: image.oldImageId, oldBase: oldImageId, newBase: newImageId };
  try {
    const options = { timeoutMs: REBUILD_TIMEOUT_MS };
    const method = ImageServiceService.rebuildImage;
    const { image: rebuilt } = await peers.image.call(method, request, options);
    failpoint('engine.upgrade.after-image');
    return { ...image, newImageId: rebuilt?.id ?? '', error: '' };
  } catch (error) {
    log.warn({ image: image.oldImageId, err: error }, 'an image was not made anew');
    return { ...image, error: problemOf(error) };
  }
}

/** Names that are to go from one image to another. */
export interface NameMove {
  from: string;
  to: string;
  names: readonly string[];
}

/**
 * Moves names, as far as they mean the image that they are to leave. One that somebody has given to a third image
 * stays there.
 * @returns names that mean the other image now, and what was in the way of the last one that could not be moved
 */
export async function moveNames(
  parts: Pick<EngineParts, 'peers' | 'log'>,
  { from, to, names }: NameMove,
): Promise<{ moved: string[]; error: string }> {
  const moved: string[] = [];
  let problem = '';
  for (const name of names) {
    try {
      if (await moveName(parts.peers, name, from, to)) moved.push(name);
    } catch (error) {
      parts.log.warn({ reference: name, err: error }, 'a name did not move');
      problem = problemOf(error);
    }
  }
  return { moved, error: problem };
}

async function moveName(peers: Peers, name: string, from: string, to: string): Promise<boolean> {
  const meant = await findImage(peers, name).catch((error: unknown) => {
    if (isTeuError(error, 'IMAGE_NOT_FOUND')) return undefined;
    throw error;
  });
  if (meant?.id === to) return true;
  if (meant?.id !== from) return false;
  await peers.image.call(ImageServiceService.tagImage, { source: to, target: name });
  return true;
}
