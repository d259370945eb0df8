import type { Image } from '@teu/proto/image';
import type { ImageRecord } from '../domain/image-record.js';

/** The image as clients see it. */
export function toImage(image: ImageRecord): Image {
  return {
    id: image.id,
    references: image.names,
    manifestDigest: image.manifestDigest,
    createTime: image.createTime,
    loadTime: image.loadTime,
    os: image.os,
    architecture: image.architecture,
    sizeBytes: image.layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    config: image.config,
    layers: image.layers,
  };
}
