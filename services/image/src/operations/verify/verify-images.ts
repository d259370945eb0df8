import type { Damage, VerifyImagesRequest, VerifyImagesResponse } from '@teu/proto/image';
import { teuError } from '@teu/errors';
import { findImage } from '../find-image.js';
import type { ImageParts } from '../image-parts.js';
import { VerifyTally } from './verify-tally.js';
import { verifyBlobs } from './verify-blobs.js';
import { verifyLayers } from './verify-layers.js';
import { verifyStrays } from './verify-strays.js';

/** How a verification is done. */
export interface VerifyContext {
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Whether everybody else's work goes first. */
  readonly idle: boolean;
}

/** What one verification looks at, and how. */
export interface VerifyScope extends VerifyContext {
  /** Ids of images, newest first. */
  readonly imageIds: readonly string[];
  /** Whether it is about the whole store. */
  readonly isAll: boolean;
  readonly readData: boolean;
  readonly repair: boolean;
  readonly tally: VerifyTally;
}

const REFERENCE_COUNT_MAX = 1000;

/**
 * Reads blobs again and has drivers compare layers, newest images first; tells what is wrong as it is found, how far it
 * is, and in the end a summary. With repair, blobs come first: layers are made of them.
 * @throws IMAGE_NOT_FOUND, AMBIGUOUS_REFERENCE, DRIVER_NOT_FOUND
 */
export async function* verifyImages(
  parts: ImageParts,
  request: VerifyImagesRequest,
  context: VerifyContext,
): AsyncGenerator<VerifyImagesResponse, void, undefined> {
  const { references, readData, repair } = request;
  if (references.length > REFERENCE_COUNT_MAX || request.drivers.length > REFERENCE_COUNT_MAX) {
    const text = `references and drivers are more than ${REFERENCE_COUNT_MAX}`;
    throw teuError('INVALID_ARGUMENT', text, { metadata: { field: 'references' } });
  }
  for (const name of request.drivers) parts.drivers.get(name);
  const isAll = references.length === 0;
  const found = references.map((reference) => findImage(parts.images, reference).image.id);
  const imageIds = isAll ? parts.images.ids() : [...new Set(found)];
  const tally = new VerifyTally(imageIds.length);
  const scope: VerifyScope = { ...context, imageIds, isAll, readData, repair, tally };
  for (const step of [verifyBlobs, verifyLayers, verifyStrays]) {
    for await (const damage of step(parts, scope, request.drivers)) {
      if (damage === undefined) {
        yield { event: { $case: 'progress', value: tally.progress() } };
        continue;
      }
      tally.countDamage(damage.action);
      yield { event: { $case: 'damage', value: damage } };
    }
  }
  yield { event: { $case: 'summary', value: tally.summary() } };
}

/** Damages as they are found; undefined where there is only progress to tell. */
export type Findings = AsyncGenerator<Damage | undefined, void, undefined>;
