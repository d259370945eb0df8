import type { Layer } from '@teu/proto/image';
import { nextChainId } from '../domain/chain-id.js';
import type { ImageRecord } from '../domain/image-record.js';
import { parseManifest } from '../domain/manifest.js';
import { OCI_MANIFEST } from '../domain/media-types.js';
import { invalid, member, parseDocument } from '../domain/strict-json.js';

/**
 * The layers of an image on its new base, as its manifest lists them. Each is one of the base, or one of the image
 * above its old base; only what they stand on, and so their chain ids, are others.
 */
export function rebuiltLayers(
  manifest: Uint8Array,
  { image, oldBase, newBase }: Record<'image' | 'oldBase' | 'newBase', ImageRecord>,
): Layer[] {
  const type = member(parseDocument(manifest, 'the manifest'), 'mediaType');
  const parsed = parseManifest(manifest, typeof type === 'string' ? type : OCI_MANIFEST);
  if (parsed.kind !== 'manifest') throw invalid('the manifest', 'is an index');
  const known = [...newBase.layers, ...image.layers.slice(oldBase.layers.length)];
  let parent: string | undefined;
  return known.map((layer, at) => {
    const descriptor = parsed.manifest.layers[at];
    if (descriptor === undefined) throw invalid('the manifest', 'lacks a layer');
    parent = nextChainId(parent, layer.diffId);
    return { ...layer, chainId: parent, mediaType: descriptor.mediaType };
  });
}
