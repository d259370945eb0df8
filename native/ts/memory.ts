import { createRequire } from 'node:module';
import { nativeBinary } from '@teu/config';

interface MemoryAddon {
  releaseUnused(): void;
}

/**
 * Lets go of memory that this process needed to start: free memory of malloc, and the mapped pages of
 * code and constants, of which a Node process at rest uses a third. Pages that are used again are
 * mapped again, at a tenth of a microsecond each, so call it when the start is over, not in between.
 *
 * @throws Error if the addon can't be loaded
 */
export function releaseUnusedMemory(): void {
  const load = createRequire(import.meta.url);
  (load(nativeBinary('memory.node')) as MemoryAddon).releaseUnused();
}
