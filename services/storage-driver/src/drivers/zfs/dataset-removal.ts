import { attemptEach, type RemovalAttempt } from '../pending-removals.js';
import type { Datasets } from './datasets.js';
import type { LayerDatasets } from './layer-datasets.js';
import type { LayerMounts } from './layer-mounts.js';
import { mountedDatasets } from './zfs-mounts.js';

/** What knows of the datasets of layers. */
export interface LayerParts {
  readonly datasets: Datasets;
  readonly layers: LayerDatasets;
  readonly mounts: LayerMounts;
}

/**
 * Destroys layers that nobody has mounted: zfs(8) would take them from under whoever has, and zfs-fuse
 * keeps a dataset busy for ever that was told to go while a file in it was open.
 */
export async function destroyLayers(
  { datasets, layers, mounts }: LayerParts,
  ids: readonly number[],
): Promise<RemovalAttempt> {
  // The youngest first: a layer cannot go before those that stand on it.
  const youngestFirst = [...ids].sort((a, b) => b - a);
  // All of them first, because zfs-fuse takes a moment to notice.
  const unmounted = await attemptEach(youngestFirst, (id) => mounts.drop(id));
  const mounted = mountedDatasets();
  const destroyed = await attemptEach(unmounted.gone, async (id) => {
    const dataset = layers.dataset(id);
    return !mounted.has(dataset) && (await datasets.destroy(dataset));
  });
  return {
    gone: destroyed.gone,
    inUseCount: unmounted.inUseCount + destroyed.inUseCount,
    failures: [...unmounted.failures, ...destroyed.failures],
  };
}
