import { UsageError } from '../cli-error.js';
import { nearestName } from './nearest-name.js';
import { parseBytes } from './quantities.js';

/** Names of storage options, docker's words. */
const known = ['size'];

/**
 * Bytes that the root file system of a container may hold beside its image, of `--storage-opt
 * size=SIZE`; 0 for no limit.
 * @throws UsageError for an option that is not known: it must not be taken for granted
 */
export function parseStorageOptions(pairs: readonly string[]): number {
  let rootSizeBytes = 0;
  for (const pair of pairs) {
    const [, name = pair, value] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    if (!known.includes(name)) {
      const near = nearestName(name, known);
      throw new UsageError(
        `there is no storage option "${name}"`,
        near === undefined ? `there is ${known.join(', ')}` : `did you mean ${near}?`,
      );
    }
    if (value === undefined) throw new UsageError(`the storage option ${name} needs a value`);
    rootSizeBytes = parseBytes(value, `--storage-opt ${name}`);
    if (rootSizeBytes < 1) throw new UsageError(`a root file system of ${value} holds nothing`);
  }
  return rootSizeBytes;
}
