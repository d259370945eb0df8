import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { capture } from '../harness/process.js';
import type { Form } from './contender.js';
import { writeTree } from './tree.js';

/** The image in its three forms. */
export interface ImageFixture {
  /** The layer itself, for tar(1). */
  layer(form: Form): string;
  /** An archive that every contender reads. */
  archive(form: Form): string;
}

const SUFFIXES: Readonly<Record<Form, string>> = { plain: '', gzip: '.gz', zstd: '.zst' };
const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  plain: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
};
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Makes a tree of so many files and bytes, the same each time, and the archives of it. */
export async function makeFixture(
  directory: string,
  size: { files: number; bytes: number },
): Promise<ImageFixture> {
  const tree = join(directory, 'tree');
  const layer = (form: Form): string => join(directory, `layer.tar${SUFFIXES[form]}`);
  const archive = (form: Form): string => join(directory, `${form}.tar`);
  writeTree(tree, size);
  const fixed = ['--sort=name', '--owner=0', '--group=0', '--mtime=@1700000000'];
  capture('tar', ['-C', tree, ...fixed, '-cf', layer('plain'), '.']);
  capture('gzip', ['-k', '-6', layer('plain')]);
  capture('zstd', ['-q', '-k', '-3', '-o', layer('zstd'), layer('plain')]);
  const diffId = await sha256(layer('plain'));
  for (const form of ['plain', 'gzip', 'zstd'] as const) {
    await makeArchive(join(directory, `layout-${form}`), archive(form), layer(form), form, diffId);
  }
  return { layer, archive };
}

async function makeArchive(
  layout: string,
  archive: string,
  layer: string,
  form: Form,
  diffId: string,
): Promise<void> {
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, { recursive: true });
  const digest = form === 'plain' ? diffId : await sha256(layer);
  capture('cp', ['--link', layer, join(blobs, digest)]);
  const put = (document: unknown): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(document));
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const config = put({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
  });
  const layers = [
    { mediaType: MEDIA_TYPES[form], digest: `sha256:${digest}`, size: statSync(layer).size },
  ];
  const manifest = put({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers,
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'bench' };
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: MANIFEST_TYPE, ...manifest, annotations }],
  };
  const place = (name: string): string => `blobs/sha256/${name.replace('sha256:', '')}`;
  const names = [
    { Config: place(config.digest), RepoTags: ['bench:latest'], Layers: [place(digest)] },
  ];
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  writeFileSync(join(layout, 'manifest.json'), JSON.stringify(names));
  capture('tar', [
    '-C',
    layout,
    '-cf',
    archive,
    'oci-layout',
    'index.json',
    'manifest.json',
    'blobs',
  ]);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
