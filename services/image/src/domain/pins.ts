/**
 * Counts of what running operations need: digests of blobs and chain ids of layers. What is pinned is
 * not collected as garbage though no image refers to it yet.
 */
export interface Pins {
  pin(key: string): void;
  has(key: string): boolean;
  /** Takes back all pins of an operation. */
  release(keys: Iterable<string>): void;
}

export function createPins(): Pins {
  const counts = new Map<string, number>();
  return {
    pin: (key) => void counts.set(key, (counts.get(key) ?? 0) + 1),
    has: (key) => counts.has(key),
    release: (keys) => {
      for (const key of keys) {
        const left = (counts.get(key) ?? 0) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      }
    },
  };
}
