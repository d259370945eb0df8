import type { Layer } from '@teu/proto/image';
import type { SourceLayer } from '../archive/image-source.js';
import { chainIds } from '../domain/chain-id.js';
import { overLayers } from '../layers/layer-stack.js';
import type { ImageParts } from './image-parts.js';
import { loadLayer } from './load-layer.js';
import type { LoadScope } from './load-scope.js';

/** Brings the layers of an image into the store and into the driver, several at once where that is possible. */
export function loadLayers(
  parts: ImageParts,
  scope: LoadScope,
  sources: readonly SourceLayer[],
): Promise<Layer[]> {
  const diffIds = sources.flatMap(({ diffId }) => diffId ?? []);
  // What a layer is called depends on those below: without their digests it has to wait until they are read.
  const areKnown = diffIds.length === sources.length;
  const chain = areKnown ? chainIds(diffIds) : [];
  const options = { limit: areKnown ? parts.maxParallelLayers : 1, signal: scope.signal };
  const loaded: Layer[] = [];
  return overLayers(sources, options, async (source, { index, below, signal }) => {
    const parent = areKnown ? chain[index - 1] : loaded[index - 1]?.chainId;
    const layer = await loadLayer(parts, { ...scope, signal }, source, parent, below);
    loaded[index] = layer;
    return layer;
  });
}
