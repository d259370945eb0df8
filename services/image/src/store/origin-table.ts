import { clock } from '@teu/ids';
import type { Store } from '@teu/state';

/** Where an image is known to be. */
export interface ImageOrigin {
  /** As in image names, "docker.io". */
  registry: string;
  repository: string;
  /** What the name means there: an index or the manifest. */
  digest: string;
  /** Who gave it: the registry, or a mirror. */
  host: string;
}

/** Where images are known to be. */
export interface OriginTable {
  /** In the caller's transaction. */
  record(imageId: string, origin: ImageOrigin): void;
  has(imageId: string, origin: Pick<ImageOrigin, 'registry' | 'repository' | 'digest'>): boolean;
  /** Where a blob can be had, the newest first: with images that have it as a layer, a config or a manifest. */
  ofBlob(digest: string): Pick<ImageOrigin, 'registry' | 'repository'>[];
}

/** Opens the table of a store. */
export function createOriginTable(store: Store): OriginTable {
  return {
    record: (imageId, { registry, repository, digest, host }) =>
      void store
        .prepare('INSERT OR REPLACE INTO image_origins VALUES (?, ?, ?, ?, ?, ?)')
        .run(imageId, registry, repository, digest, host, clock.now().getTime()),
    has: (imageId, { registry, repository, digest }) =>
      store
        .prepare(
          `SELECT 1 FROM image_origins
           WHERE image_id = ? AND registry = ? AND repository = ? AND digest = ?`,
        )
        .get(imageId, registry, repository, digest) !== undefined,
    ofBlob: (digest) =>
      store
        .prepare<Pick<ImageOrigin, 'registry' | 'repository'>>(
          `SELECT registry, repository FROM image_origins
           WHERE image_id IN (SELECT id FROM images WHERE id = ?1 OR manifest_digest = ?1
                              UNION SELECT image_id FROM layers WHERE digest = ?1)
           GROUP BY registry, repository ORDER BY max(use_ms) DESC`,
        )
        .all(digest),
  };
}
