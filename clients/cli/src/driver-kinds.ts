import { UsageError } from './cli-error.js';
import { nearestName } from './options/nearest-name.js';

/**
 * The kinds of storage driver that come with the engine, in the order in which one is chosen when
 * nothing else decides: docker's order, and aufs before copies. services/storage-driver says the same of itself (`--probe`).
 */
export const driverKinds = ['overlay2', 'btrfs', 'zfs', 'devicemapper', 'aufs', 'vfs'] as const;

/** One of them. */
export type DriverKind = (typeof driverKinds)[number];

/** Whether a word is the name of a kind. */
export function isDriverKind(word: string): word is DriverKind {
  return (driverKinds as readonly string[]).includes(word);
}

/**
 * Kinds divided by commas, each once.
 * @throws UsageError for one that is not there, or if there is none
 */
export function parseDriverKinds(text: string): DriverKind[] {
  return [...new Set(text.split(',').map((word) => parseDriverKind(word.trim())))];
}

/** @throws UsageError with the nearest kind if there is none of that name */
export function parseDriverKind(word: string): DriverKind {
  if (isDriverKind(word)) return word;
  const near = nearestName(word, driverKinds);
  throw new UsageError(
    `there is no storage driver "${word}"`,
    near === undefined ? `there are ${driverKinds.join(', ')}` : `did you mean ${near}?`,
  );
}
