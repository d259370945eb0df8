import { statfs } from 'node:fs/promises';
import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { PruneImagesResponse, type PruneImagesRequest } from '@teu/proto/image';
import type { ImageRecord } from '../../domain/image-record.js';
import { evenIfFull } from '../../store/even-if-full.js';
import { collectGarbage } from '../collect-garbage.js';
import type { ImageParts } from '../image-parts.js';
import { deleteImage } from '../remove-image.js';
import { chooseImages, parseChoice } from './candidates.js';
import { reclaimableBytes } from './reclaimable.js';
import { standingOn } from './standing.js';

/** What a prune needs to know of its caller. */
export interface PruneContext {
  requestId: string;
  signal: AbortSignal;
}

/**
 * Removes images that no container stands on and no lease holds, one after the other, least recently used first. Each is
 * removed as by RemoveImage: what cannot be stays, with the reason.
 * @throws INVALID_ARGUMENT
 */
export async function pruneImages(
  parts: ImageParts,
  request: PruneImagesRequest,
  context: PruneContext,
): Promise<PruneImagesResponse> {
  const choice = parseChoice(request);
  if (request.freeBytes < 0) {
    const field = 'free_bytes';
    throw teuError('INVALID_ARGUMENT', `${field} is negative`, { metadata: { field } });
  }
  if (!request.dryRun) {
    evenIfFull(() => parts.uses.flush());
    collectGarbage(parts);
  }
  const done = PruneImagesResponse.create();
  const gone = new Set<string>();
  for (const { id } of chooseImages(parts, choice)) {
    context.signal.throwIfAborted();
    if (await hasEnough(parts, request, done.reclaimedBytes)) break;
    const image = parts.images.byId(id);
    if (image === undefined) continue;
    const bytes = reclaimableBytes(parts, image, gone);
    const kept = await pruneImage(parts, image, request.dryRun, context);
    if (kept !== undefined) {
      done.kept[nameOf(image)] = kept;
      continue;
    }
    gone.add(id);
    done.untagged.push(...image.names);
    done.deleted.push(id);
    done.reclaimedBytes += bytes;
    if (!request.dryRun) failpoint('image.prune.after-image');
    if (!request.dryRun && request.freeBytes > 0) await freeNow(parts, context.signal);
  }
  return done;
}

/** @returns why it stays; undefined if it is gone, or would be */
async function pruneImage(
  parts: ImageParts,
  image: ImageRecord,
  dryRun: boolean,
  { requestId }: PruneContext,
): Promise<string | undefined> {
  const { leases, uses } = parts;
  const holder = leases.holderOf(image.id);
  if (holder !== undefined) return `a lease of "${holder}" holds it`;
  const standing = await standingOn(parts, image);
  if (standing?.inUse === true) uses.mark(image.id);
  if (standing !== undefined || dryRun) return standing?.reason;
  try {
    await deleteImage(parts, image, false, requestId);
    return undefined;
  } catch (error) {
    if (!isTeuError(error, 'IMAGE_IN_USE') && !isTeuError(error, 'DRIVER_UNAVAILABLE')) throw error;
    return error.message;
  }
}

/** Whether there is as much room as the request wants; of a dry run, whether there would be. */
async function hasEnough(
  { directory }: ImageParts,
  { freeBytes, dryRun }: PruneImagesRequest,
  reclaimedBytes: number,
): Promise<boolean> {
  if (freeBytes === 0) return false;
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize + (dryRun ? reclaimedBytes : 0) >= freeBytes;
}

/** Waits for drivers to have deleted what was removed: before, nobody can tell how much room there is. */
async function freeNow({ drivers, log }: ImageParts, signal: AbortSignal): Promise<void> {
  for (const driver of drivers.all()) {
    try {
      await driver.cleanup(signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, driver: driver.name }, 'a storage driver has not freed all by now');
    }
  }
}

function nameOf({ id, names }: ImageRecord): string {
  return names[0] ?? id;
}
