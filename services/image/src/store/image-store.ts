import { ImageConfig, type Layer } from '@teu/proto/image';
import type { Store } from '@teu/state';
import type { ImageRecord } from '../domain/image-record.js';
import type { ImageOrigin } from './origin-table.js';

/** Where a page of a list ended. */
export interface PagePosition {
  loadTime: number;
  id: string;
}

/** Images, their layers and names. Methods that write belong into a transaction of the caller. */
export interface ImageStore {
  byId(id: string): ImageRecord | undefined;
  byName(name: string): ImageRecord | undefined;
  /** What a digest, of an index or of the manifest, means in a repository that it was pulled from or pushed to. */
  byOrigin(
    origin: Pick<ImageOrigin, 'registry' | 'repository' | 'digest'>,
  ): ImageRecord | undefined;
  /** Ids that begin with these hexadecimal digits, at most `limit`. */
  idsByPrefix(digits: string, limit: number): string[];
  /** Newest first. */
  page(after: PagePosition | undefined, limit: number, repositoryOrName: string): ImageRecord[];
  insert(image: ImageRecord): void;
  /** Removes the image with its names and layers. */
  delete(id: string): void;
  /** Gives or moves a name; tells the image that had it before. */
  setName(name: string, imageId: string): string | undefined;
  deleteName(name: string): void;
  /** A layer with this content that is in the store already. */
  layerByDiffId(diffId: string): Layer | undefined;
  /** How much a layer is as unpacked, for those that were recorded before it was. */
  setLayerSize(chainId: string, sizeBytes: number): void;
  /** Other images than this one that stand on a layer. */
  chainUsers(chainId: string, exceptImage: string): number;
  /** Names, or else ids, of images that stand on a layer. */
  namesOn(chainId: string): string[];
  /** Ids of all images, newest first. */
  ids(): string[];
  /** Ids of images that need a blob, or stand on a layer of this chain id. */
  usersOf(digestOrChain: string): string[];
  /** Names of images whose top layer this is, sorted. */
  namesEndingIn(chainId: string): string[];
}

interface ImageRow {
  id: string;
  manifest_digest: string;
  create_time: number | null;
  load_time: number;
  os: string;
  architecture: string;
  config: string;
}

interface LayerRow {
  diff_id: string;
  chain_id: string;
  digest: string;
  media_type: string;
  blob_bytes: number;
  size_bytes: number;
}

export function createImageStore(store: Store): ImageStore {
  const fromRow = (row: ImageRow): ImageRecord => readImage(store, row);
  const byId = (id: string): ImageRecord | undefined => {
    const row = store.prepare<ImageRow>('SELECT * FROM images WHERE id = ?').get(id);
    return row && fromRow(row);
  };
  const ownerOf = (name: string): string | undefined =>
    store.prepare<{ id: string }>('SELECT image_id AS id FROM names WHERE name = ?').get(name)?.id;
  return {
    byId,
    byName: (name) => {
      const id = ownerOf(name);
      return id === undefined ? undefined : byId(id);
    },
    byOrigin: ({ registry, repository, digest }) => {
      const row = store.prepare<ImageRow>(ORIGIN_QUERY).get(registry, repository, digest, digest);
      return row && fromRow(row);
    },
    idsByPrefix: (digits, limit) =>
      store
        .prepare<{ id: string }>('SELECT id FROM images WHERE id >= ? AND id < ? LIMIT ?')
        .all(`sha256:${digits}`, `sha256:${digits}~`, limit)
        .map(({ id }) => id),
    page: (after, limit, name) => pageRows(store, after, limit, name).map(fromRow),
    insert: (image) => insertImage(store, image),
    delete: (id) => void store.prepare('DELETE FROM images WHERE id = ?').run(id),
    setName: (name, imageId) => {
      const before = ownerOf(name);
      store
        .prepare('INSERT OR REPLACE INTO names (name, image_id) VALUES (?, ?)')
        .run(name, imageId);
      return before;
    },
    deleteName: (name) => void store.prepare('DELETE FROM names WHERE name = ?').run(name),
    layerByDiffId: (diffId) => {
      const row = store
        .prepare<LayerRow>('SELECT * FROM layers WHERE diff_id = ? LIMIT 1')
        .get(diffId);
      return row && toLayer(row);
    },
    setLayerSize: (chainId, sizeBytes) =>
      void store
        .prepare('UPDATE layers SET size_bytes = ? WHERE chain_id = ? AND size_bytes = 0')
        .run(sizeBytes, chainId),
    chainUsers: (chainId, exceptImage) =>
      store
        .prepare<{ n: number }>(
          'SELECT count(*) AS n FROM layers WHERE chain_id = ? AND image_id <> ?',
        )
        .get(chainId, exceptImage)?.n ?? 0,
    ids: () => idsOf(store, 'SELECT id FROM images ORDER BY load_time DESC, id'),
    usersOf: (digest) => idsOf(store, USERS_QUERY, digest),
    namesOn: (chainId) => namesOfLayer(store, STANDING_QUERY, chainId),
    namesEndingIn: (chainId) => namesOfLayer(store, ENDING_QUERY, chainId),
  };
}

function idsOf(store: Store, query: string, ...values: string[]): string[] {
  return store
    .prepare<{ id: string }>(query)
    .all(...values)
    .map(({ id }) => id);
}

const USERS_QUERY = `
  SELECT id FROM images WHERE id = ?1 OR manifest_digest = ?1
  UNION SELECT image_id FROM layers WHERE digest = ?1 OR chain_id = ?1`;

const STANDING_QUERY = `
  SELECT coalesce(min(name), layers.image_id) AS name
  FROM layers LEFT JOIN names ON names.image_id = layers.image_id
  WHERE chain_id = ? GROUP BY layers.image_id ORDER BY 1 LIMIT 10`;

const ENDING_QUERY = `
  SELECT name FROM layers AS top JOIN names ON names.image_id = top.image_id
  WHERE chain_id = ? AND position = (SELECT max(position) FROM layers WHERE image_id = top.image_id)
  ORDER BY name LIMIT 100`;

function namesOfLayer(store: Store, query: string, chainId: string): string[] {
  const rows = store.prepare<{ name: string }>(query).all(chainId);
  return rows.map(({ name }) => name);
}

// ';' is the character after ':', so that the range holds all tags of a repository and nothing else.
const PAGE_QUERY = `
  SELECT * FROM images
  WHERE (load_time < ? OR (load_time = ? AND id > ?))
    AND (? = '' OR id IN (SELECT image_id FROM names WHERE name = ? OR (name >= ? AND name < ?)))
  ORDER BY load_time DESC, id
  LIMIT ?`;

function pageRows(
  store: Store,
  after: PagePosition | undefined,
  limit: number,
  name: string,
): ImageRow[] {
  const begin = after?.loadTime ?? Number.MAX_SAFE_INTEGER;
  return store
    .prepare<ImageRow>(PAGE_QUERY)
    .all(begin, begin, after?.id ?? '', name, name, `${name}:`, `${name};`, limit);
}

const ORIGIN_QUERY = `
  SELECT images.* FROM image_origins JOIN images ON images.id = image_origins.image_id
  WHERE registry = ? AND repository = ? AND (digest = ? OR manifest_digest = ?)
  ORDER BY use_ms DESC LIMIT 1`;

function readImage(store: Store, row: ImageRow): ImageRecord {
  return {
    id: row.id,
    manifestDigest: row.manifest_digest,
    ...(row.create_time === null ? {} : { createTime: new Date(row.create_time) }),
    loadTime: new Date(row.load_time),
    os: row.os,
    architecture: row.architecture,
    config: ImageConfig.create(JSON.parse(row.config) as ImageConfig),
    layers: store
      .prepare<LayerRow>('SELECT * FROM layers WHERE image_id = ? ORDER BY position')
      .all(row.id)
      .map(toLayer),
    names: store
      .prepare<{ name: string }>('SELECT name FROM names WHERE image_id = ? ORDER BY name')
      .all(row.id)
      .map(({ name }) => name),
  };
}

function insertImage(store: Store, image: ImageRecord): void {
  store
    .prepare(
      `INSERT INTO images (id, manifest_digest, create_time, load_time, os, architecture, config)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      image.id,
      image.manifestDigest,
      image.createTime?.getTime() ?? null,
      image.loadTime.getTime(),
      image.os,
      image.architecture,
      JSON.stringify(image.config),
    );
  const statement = store.prepare(
    `INSERT INTO layers
       (image_id, position, diff_id, chain_id, digest, media_type, blob_bytes, size_bytes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  image.layers.forEach((layer, position) =>
    statement.run(
      image.id,
      position,
      layer.diffId,
      layer.chainId,
      layer.digest,
      layer.mediaType,
      layer.blobBytes,
      layer.sizeBytes,
    ),
  );
}

function toLayer(row: LayerRow): Layer {
  return {
    diffId: row.diff_id,
    chainId: row.chain_id,
    digest: row.digest,
    mediaType: row.media_type,
    blobBytes: row.blob_bytes,
    sizeBytes: row.size_bytes,
  };
}
