import { changeConfig } from './config-changes.js';
import type { Descriptor } from './manifest.js';
import { OCI_CONFIG, OCI_MANIFEST } from './media-types.js';

/** A layer whose bytes are in the store. */
export type StoredLayer = Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;

/** What somebody who loads a root file system wants its image to say. */
export interface RootfsWishes {
  /** Instructions of a Dockerfile. */
  changes: readonly string[];
  /** For the history. */
  comment: string;
}

/** The manifest of an image that came without one (docker archives, plain root file systems). */
export function generateManifest(config: { digest: string; size: number }, layers: StoredLayer[]) {
  return encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.size },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  });
}

/**
 * The config of a plain root file system. It has no time in it, so that the same tar gives the same
 * image whenever it is loaded.
 */
export function generateRootfsConfig(
  diffId: string,
  architecture: string,
  { changes, comment }: RootfsWishes = { changes: [], comment: '' },
): Uint8Array {
  const run = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    Cmd: ['/bin/sh'],
  };
  const told = comment === '' ? {} : { comment };
  return encode({
    architecture,
    os: 'linux',
    config: changeConfig(run, changes),
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: 'teu load (root file system)', ...told }],
  });
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
