import type { ImageConfig, Layer } from '@teu/proto/image';

/** An image as the store keeps it. */
export interface ImageRecord {
  /** Digest of the config. */
  id: string;
  manifestDigest: string;
  createTime?: Date;
  loadTime: Date;
  os: string;
  architecture: string;
  config: ImageConfig;
  /** From the base up. */
  layers: Layer[];
  /** Sorted. */
  names: string[];
}

/** Chain ids of all layers, from the base up. */
export function chainIdsOf(image: Pick<ImageRecord, 'layers'>): string[] {
  return image.layers.map(({ chainId }) => chainId);
}

/** Chain id of the top layer; empty for an image without layers. */
export function topChainId(image: Pick<ImageRecord, 'layers'>): string {
  return image.layers.at(-1)?.chainId ?? '';
}
