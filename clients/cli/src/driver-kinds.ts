import { UsageError } from './cli-error.js';
import { nearestName } from './options/nearest-name.js';

/**
 * The kinds of storage driver that come with the engine, in the order in which one is chosen when
 * nothing else decides: docker's order. services/storage-driver says the same of itself (`--probe`).
 */
export const driverKinds = ['overlay2', 'btrfs', 'zfs', 'vfs'] as const;

/** One of them. */
export type DriverKind = (typeof driverKinds)[number];

/** Whether a word is the name of a kind. */
export function isDriverKind(word: string): word is DriverKind {
  return (driverKinds as readonly string[]).includes(word);
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
