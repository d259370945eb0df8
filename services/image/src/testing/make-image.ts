import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../domain/digest.js';
import { hostArchitecture } from '../domain/architecture.js';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../domain/media-types.js';
import { makeTar } from './make-tar.js';

/** An image for tests: layers from the base up, uncompressed tars. */
export interface ImageInput {
  layers: Buffer[];
  compression?: 'none' | 'gzip' | 'zstd';
  /** Members of the config's "config". */
  config?: object;
  name?: string;
}

/** The files of an archive, by their names in it. */
export type ArchiveFiles = Record<string, Buffer>;

const json = (document: unknown): Buffer => Buffer.from(JSON.stringify(document));

export function makeConfig(input: ImageInput): Buffer {
  return json({
    architecture: hostArchitecture,
    os: 'linux',
    created: '2020-01-02T03:04:05Z',
    config: input.config ?? { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: input.layers.map((layer) => digestOf(layer)) },
  });
}

/** An OCI image layout with one image. `edit` may spoil the documents before they are written. */
export function ociFiles(
  input: ImageInput,
  edit: (documents: { manifest: Record<string, unknown>; config: Buffer }) => void = () =>
    undefined,
): ArchiveFiles {
  const files: ArchiveFiles = {};
  const put = (mediaType: string, data: Buffer) => {
    const digest = digestOf(data);
    files[`blobs/${digest.replace(':', '/')}`] = data;
    return { mediaType, digest, size: data.length };
  };
  const config = makeConfig(input);
  const documents = {
    config,
    manifest: {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: put(OCI_CONFIG, config),
      layers: input.layers.map((layer) => {
        if (input.compression === 'gzip') return put(`${OCI_LAYER}+gzip`, gzipSync(layer));
        if (input.compression === 'zstd') return put(`${OCI_LAYER}+zstd`, zstdCompressSync(layer));
        return put(OCI_LAYER, layer);
      }),
    } as Record<string, unknown>,
  };
  edit(documents);
  const annotations =
    input.name === undefined ? {} : { 'org.opencontainers.image.ref.name': input.name };
  const entry = { ...put(OCI_MANIFEST, json(documents.manifest)), annotations };
  files['oci-layout'] = json({ imageLayoutVersion: '1.0.0' });
  files['index.json'] = json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] });
  return files;
}

/** What "docker save" of versions before 25 writes. */
export function dockerFiles(...inputs: ImageInput[]): ArchiveFiles {
  const files: ArchiveFiles = {};
  const manifest = inputs.map((input) => {
    const config = makeConfig(input);
    const configName = `${digestOf(config).slice(7)}.json`;
    files[configName] = config;
    const layers = input.layers.map((layer) => {
      const name = `${digestOf(layer).slice(7)}/layer.tar`;
      files[name] = layer;
      return name;
    });
    return { Config: configName, RepoTags: input.name ? [input.name] : null, Layers: layers };
  });
  files['manifest.json'] = json(manifest);
  return files;
}

export function archiveTar(files: ArchiveFiles): Buffer {
  return makeTar(...Object.entries(files).map(([name, data]) => ({ name, data })));
}

export function writeArchive(directory: string, files: ArchiveFiles): void {
  for (const [name, data] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), data);
  }
}
