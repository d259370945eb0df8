import { teuError } from '@teu/errors';
import type { Container } from '@teu/proto/engine';
import { ImageServiceService, ListImagesRequest, type Image } from '@teu/proto/image';
import type { Peers } from '../../peers/peers.js';
import { refuse } from '../spec-validation.js';

/** The base that is left and the one that is taken. */
export interface Bases {
  old: Image;
  new: Image;
}

const PAGE_SIZE = 1000;

/** @throws IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, INVALID_ID, UNAVAILABLE */
export async function findImage(peers: Peers, reference: string): Promise<Image> {
  const { image } = await peers.image.call(ImageServiceService.getImage, { reference });
  if (image !== undefined) return image;
  throw teuError('IMAGE_INVALID', `the image service says nothing about "${reference}"`);
}

/** All images, newest first. */
export async function listImages(peers: Peers): Promise<Image[]> {
  const images: Image[] = [];
  let pageToken = '';
  do {
    const request = ListImagesRequest.create({ pageSize: PAGE_SIZE, pageToken });
    const page = await peers.image.call(ImageServiceService.listImages, request);
    images.push(...page.images);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return images;
}

/**
 * Finds both bases.
 * @throws IMAGE_NOT_FOUND; INVALID_ARGUMENT if an upgrade from one to the other can't be
 */
export async function findBases(
  peers: Peers,
  { oldBase, newBase }: { oldBase: string; newBase: string },
): Promise<Bases> {
  const [old, next] = await Promise.all([findImage(peers, oldBase), findImage(peers, newBase)]);
  if (topLayer(old) === '') refuse('old_base', 'has no layers, so everything stands on it');
  if (topLayer(next) === '') refuse('new_base', 'has no layers');
  if (old.id === next.id) refuse('new_base', 'is the same image as old_base');
  if (topLayer(old) === topLayer(next)) refuse('new_base', 'has the same layers as old_base');
  return { old, new: next };
}

/** Chain id of the top layer, which is the name of its snapshot; empty for an image without layers. */
export function topLayer({ layers }: Image): string {
  return layers.at(-1)?.chainId ?? '';
}

/** Whether an image's first layers are those of a base. */
export function standsOn({ layers }: Image, base: Image): boolean {
  return layers[base.layers.length - 1]?.chainId === topLayer(base);
}

/**
 * Images, without the old base itself, that an upgrade makes anew. The new base may be the old one with more layers:
 * what stands on it then stands on both, and is where it should be.
 * @param isUsed whether a container stands on the image with this id
 */
export function imagesToRebuild(
  images: readonly Image[],
  bases: Bases,
  isUsed: (imageId: string) => boolean,
): Image[] {
  const newIsOnOld = standsOn(bases.new, bases.old);
  return images.filter((image) => {
    if (image.id === bases.old.id || !standsOn(image, bases.old)) return false;
    if (newIsOnOld && standsOn(image, bases.new)) return false;
    return image.references.length > 0 || isUsed(image.id);
  });
}

/** Id of the image that a container will stand on when all that is in store for it has come. */
export function destinedImage({ imageId, pendingRebase }: Container): string {
  return pendingRebase?.imageId ?? imageId;
}
