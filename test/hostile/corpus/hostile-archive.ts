import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tar } from './hostile-tar.js';

/** Members of an archive of images by their names; later ones come later. */
export type Members = Record<string, Buffer>;

type Json = Record<string, unknown>;

/** The documents of an image before they are encoded; a case spoils them. */
export interface Documents {
  config: Json;
  manifest: Json & { layers: Json[]; config: Json };
  index: Json & { manifests: Json[] };
}

/** How an archive is made. */
export interface ArchiveOptions {
  compression?: 'none' | 'gzip' | 'zstd';
  /** Spoils documents; what points to them has the digests of what they became. */
  spoil?: (documents: Documents) => void;
  /** Takes the place of an encoded document, whatever it was; what points to it fits. */
  configText?: string | Buffer;
  manifestText?: string | Buffer;
  /** Last word on the members. */
  edit?: (members: Members) => void;
}

export const OCI = 'application/vnd.oci.image';
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

export const digestOf = (bytes: Buffer | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
export const blobName = (digest: string): string => `blobs/${digest.replace(':', '/')}`;

/** The config of an image of these layers. */
export function configOf(layers: readonly Buffer[]): Json {
  return {
    ...{ architecture: architectures[arch()] ?? arch(), os: 'linux' },
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
  };
}

/** An OCI image layout of one image as members of an archive. */
export function ociMembers(layers: readonly Buffer[], options: ArchiveOptions = {}): Members {
  const { compression = 'none', spoil, configText, manifestText, edit } = options;
  const members: Members = {};
  const put = (mediaType: string, data: Buffer): Json => {
    members[blobName(digestOf(data))] = data;
    return { mediaType: `${OCI}.${mediaType}`, digest: digestOf(data), size: data.length };
  };
  const packed = layers.map((layer) => pack(layer, compression));
  const suffix = compression === 'none' ? '' : `+${compression}`;
  const documents: Documents = {
    config: configOf(layers),
    manifest: {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: {},
      layers: packed.map((data) => put(`layer.v1.tar${suffix}`, data)),
    },
    index: { schemaVersion: 2, manifests: [] },
  };
  const spoilt = (): void => spoil?.(documents);
  if (configText === undefined) spoilt();
  const config = put('config.v1+json', Buffer.from(configText ?? json(documents.config)));
  documents.manifest.config = { ...config, ...documents.manifest.config };
  const manifest = put('manifest.v1+json', Buffer.from(manifestText ?? json(documents.manifest)));
  documents.index.manifests = [{ ...manifest, ...documents.index.manifests[0] }];
  members['oci-layout'] = json({ imageLayoutVersion: '1.0.0' });
  members['index.json'] = json(documents.index);
  edit?.(members);
  return members;
}

export function pack(layer: Buffer, compression: ArchiveOptions['compression']): Buffer {
  if (compression === 'gzip') return gzipSync(layer);
  return compression === 'zstd' ? zstdCompressSync(layer) : layer;
}

/** The tar of an OCI image layout of one image. */
export function oci(layers: readonly Buffer[], options: ArchiveOptions = {}): Buffer {
  return archive(ociMembers(layers, options));
}

/** A docker archive as before version 25, of one image; `edit` spoils its entry and its members. */
export function docker(
  layers: readonly Buffer[],
  edit: (entry: Json, members: Members) => void = () => undefined,
): Buffer {
  const members: Members = {};
  const config = json(configOf(layers));
  const configName = `${digestOf(config).slice(7)}.json`;
  members[configName] = config;
  const names = layers.map((layer) => `${digestOf(layer).slice(7)}/layer.tar`);
  names.forEach((name, index) => (members[name] = layers[index] ?? Buffer.alloc(0)));
  const entry: Json = { Config: configName, RepoTags: null, Layers: names };
  edit(entry, members);
  members['manifest.json'] ??= json([entry]);
  return archive(members);
}

export function archive(members: Members): Buffer {
  return tar(...Object.entries(members).map(([name, data]) => ({ name, data })));
}
