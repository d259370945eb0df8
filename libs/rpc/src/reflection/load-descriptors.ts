import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { teuError } from '@teu/errors';
import { installRoot } from '@teu/config';
import { indexDescriptors, type DescriptorIndex } from './descriptor-index.js';

let loaded: DescriptorIndex | undefined;

/**
 * The descriptors of all contracts, read when the first client asks: beside the bundle, or where the
 * generator puts them.
 * @throws UNIMPLEMENTED if the file is missing.
 */
export function loadDescriptors(): DescriptorIndex {
  if (loaded !== undefined) return loaded;
  const beside = join(dirname(fileURLToPath(import.meta.url)), 'descriptors.binpb');
  const file = existsSync(beside)
    ? beside
    : join(installRoot(), 'libs/proto/src/gen/descriptors.binpb');
  try {
    loaded = indexDescriptors(readFileSync(file));
  } catch (error) {
    throw teuError('UNIMPLEMENTED', 'reflection is not available: no descriptors', {
      cause: error,
    });
  }
  return loaded;
}
