import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { PruneImagesRequest } from '@teu/proto/image';
import type { ImageRecord } from '../../domain/image-record.js';
import type { ImageParts } from '../image-parts.js';

const LABEL_COUNT_MAX = 100;
const LABEL_LENGTH_MAX = 4096;

/** Which images a request means; the rest of it is about how far to go. */
export interface Choice {
  all: boolean;
  /** Undefined for any age. */
  unusedForMs: number | undefined;
  labels: readonly string[];
}

/** @throws INVALID_ARGUMENT naming the field */
export function parseChoice({ all, unusedFor, labels }: PruneImagesRequest): Choice {
  const isFit = labels.every((label) => label !== '' && label.length <= LABEL_LENGTH_MAX);
  if (!isFit || labels.length > LABEL_COUNT_MAX) {
    throw invalid('labels', `are not at most ${LABEL_COUNT_MAX} texts "name" or "name=value"`);
  }
  if (unusedFor === undefined) return { all, unusedForMs: undefined, labels };
  const unusedForMs = unusedFor.seconds * 1000 + unusedFor.nanos / 1e6;
  if (unusedForMs < 0) throw invalid('unused_for', 'is negative');
  return { all, unusedForMs, labels };
}

/** When an image was last used, or else made or loaded. */
export function lastUse({ uses }: Pick<ImageParts, 'uses'>, image: ImageRecord): number {
  return Math.max(image.loadTime.getTime(), uses.lastUse(image.id)?.getTime() ?? 0);
}

/** The images that are meant, least recently used first. */
export function chooseImages(
  parts: Pick<ImageParts, 'images' | 'uses'>,
  { all, unusedForMs, labels }: Choice,
): ImageRecord[] {
  const before = unusedForMs === undefined ? Infinity : clock.now().getTime() - unusedForMs;
  return parts.images
    .ids()
    .flatMap((id) => parts.images.byId(id) ?? [])
    .filter((image) => all || image.names.length === 0)
    .filter((image) => lastUse(parts, image) <= before)
    .filter((image) => labels.every((label) => hasLabel(image, label)))
    .sort((one, other) => lastUse(parts, one) - lastUse(parts, other));
}

function hasLabel({ config }: ImageRecord, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  if (!Object.hasOwn(config.labels, name)) return false;
  return equals < 0 || config.labels[name] === wanted.slice(equals + 1);
}

function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
