import { Buffer } from 'node:buffer';
import { formatImageReference, parseImageReference } from '@teu/ids';
import { OCI_INDEX } from '../domain/media-types.js';
import { repositoryOf } from '../domain/reference.js';
import { blobMember, type SavedImage } from './saved-image.js';

/** A small document of an archive. */
export interface ArchiveDocument {
  name: string;
  bytes: Buffer;
}

/** The marker of an OCI image layout. */
export function layoutDocument(): ArchiveDocument {
  return document('oci-layout', { imageLayoutVersion: '1.0.0' });
}

/**
 * The index of an OCI image layout: an entry for each name of each image, with the whole name under containerd's and docker's
 * key, and the tag under that of the specification. If a tag is that of two images, the whole name stands there too: a reader
 * that looks for it must find one image.
 */
export function indexDocument(images: readonly SavedImage[]): ArchiveDocument {
  const owners = new Map<string, Set<string>>();
  for (const { manifest, names } of images) {
    for (const tag of names.map(tagOf)) {
      owners.set(tag, (owners.get(tag) ?? new Set()).add(manifest.digest));
    }
  }
  const manifests = images.flatMap(({ manifest, names }) => {
    const { mediaType, digest, size } = manifest;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map((name) => {
      const isUnique = owners.get(tagOf(name))?.size === 1;
      const annotations = {
        'io.containerd.image.name': wholeName(name),
        'org.opencontainers.image.ref.name': isUnique ? tagOf(name) : wholeName(name),
      };
      return { mediaType, digest, size, annotations };
    });
  });
  return document('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
}

/** The list of images that "docker load" reads. */
export function dockerManifestDocument(images: readonly SavedImage[]): ArchiveDocument {
  const list = images.map(({ config, layers, names }) => ({
    Config: blobMember(config.digest),
    RepoTags: names,
    Layers: layers.map(({ digest }) => blobMember(digest)),
  }));
  return document('manifest.json', list);
}

/** What docker before version 1.10 read, and later ones still write: repository, tag, and top layer. */
export function repositoriesDocument(images: readonly SavedImage[]): ArchiveDocument | undefined {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { layers, names } of images) {
    const top = layers.at(-1);
    for (const name of top === undefined ? [] : names) {
      (repositories[repositoryOf(name)] ??= {})[tagOf(name)] = top?.digest.slice(7) ?? '';
    }
  }
  const isEmpty = Object.keys(repositories).length === 0;
  return isEmpty ? undefined : document('repositories', repositories);
}

function document(name: string, value: unknown): ArchiveDocument {
  return { name, bytes: Buffer.from(JSON.stringify(value)) };
}

const wholeName = (name: string): string => formatImageReference(parseImageReference(name));
const tagOf = (name: string): string => name.slice(repositoryOf(name).length + 1);
