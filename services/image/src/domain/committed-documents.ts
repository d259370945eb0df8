import { changeConfig } from './config-changes.js';
import type { Descriptor } from './manifest.js';
import { layerTypeFor } from './media-types.js';
import { historyOf, layersOf, type ImageDocuments } from './rebuilt-documents.js';
import { isObject, member, type JsonObject } from './strict-json.js';

/** What is put on an image. */
export interface Addition {
  diffId: string;
  changes: readonly string[];
  author: string;
  comment: string;
  createdBy: string;
  createTime: Date;
}

/** The config of an image with one more layer; what is not changed stays as the image below says it. */
export function committedConfig(image: ImageDocuments, addition: Addition): JsonObject {
  const { config, diffIds } = image;
  const run = member(config, 'config');
  const rootfs = member(config, 'rootfs');
  const created = addition.createTime.toISOString();
  const author = addition.author === '' ? {} : { author: addition.author };
  return {
    ...config,
    ...author,
    created,
    config: changeConfig(isObject(run) ? run : {}, addition.changes),
    rootfs: { ...(isObject(rootfs) ? rootfs : {}), diff_ids: [...diffIds, addition.diffId] },
    history: [
      // Of an image that does not tell, each layer is a step of which nothing is known.
      ...(historyOf(image) ?? diffIds.map(() => ({}))),
      {
        created,
        ...(addition.createdBy === '' ? {} : { created_by: addition.createdBy }),
        ...author,
        ...(addition.comment === '' ? {} : { comment: addition.comment }),
      },
    ],
  };
}

/** Its manifest, of the same family as that of the image below: OCI's or docker's. */
export function committedManifest(
  image: ImageDocuments,
  config: { digest: string; size: number },
  layer: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>,
): JsonObject {
  const { manifest } = image;
  const descriptor = member(manifest, 'config');
  const type = member(isObject(descriptor) ? descriptor : {}, 'mediaType');
  const mediaType =
    typeof type === 'string' ? layerTypeFor(type, layer.mediaType) : layer.mediaType;
  const { digest, size } = layer;
  return {
    ...manifest,
    config: { ...(type === undefined ? {} : { mediaType: type }), ...config },
    layers: [...layersOf(image), { mediaType, digest, size }],
  };
}
