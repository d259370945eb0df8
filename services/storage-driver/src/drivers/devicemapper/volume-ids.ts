import { teuError } from '@teu/errors';

/** Volume that everything begins with: a file system with nothing in it. */
export const BASE = 0;
/** What is to become the base. */
export const UNFINISHED_BASE = 1;
/** Volumes have numbers of 24 bits in a pool. */
const HIGHEST = 2 ** 24 - 1;

/**
 * Volume of a snapshot while it is written to. Numbers follow from the id of the record, which is never
 * used twice: a volume can be told from its record and the other way round, whatever was lost.
 *
 * @throws STORAGE_FULL after eight million snapshots
 */
export function volumeOf(id: number): number {
  const volume = 2 * id;
  if (volume < HIGHEST) return volume;
  const text = `a thin pool has numbers for ${HIGHEST >> 1} snapshots, and all of them were given`;
  throw teuError('STORAGE_FULL', text);
}

/** Volume of a snapshot that was committed while it was still mounted: its state of that moment. */
export function frozenVolumeOf(id: number): number {
  return volumeOf(id) + 1;
}

/** Id of the snapshot that a volume belongs to; undefined for those of the driver. */
export function snapshotOf(volume: number): number | undefined {
  return volume > UNFINISHED_BASE ? volume >> 1 : undefined;
}
