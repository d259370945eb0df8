import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { file, rootfsTar, type Entry } from '../hostile/hostile-image.js';

/** Name of the image that `writeLayeredImage` makes, as all tools show it. */
export const LAYERED_IMAGE = 'teu.test/layered:1';

/**
 * What `sh -c` finds in the image if all layers are in place and what they delete is gone. The last
 * line tells that a file with two names is one file.
 */
export const LAYERED_LOOK =
  'cat /data/kept /data/changed; echo /data/* /full/*; stat -c "%h %a %u:%g" /data/one';
/** What `LAYERED_LOOK` prints. */
export const LAYERED_SIGHT =
  'kept\nchanged above\n/data/changed /data/kept /data/one /data/other /full/new\n2 640 0:0\n';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** Writes an OCI image layout of three layers: busybox and some files, a change, and deletions. */
export async function writeLayeredImage(path: string): Promise<void> {
  const base = await rootfsTar([
    { name: 'bin/stat', type: 'symlink', linkname: 'busybox' },
    { name: 'data', type: 'directory', mode: 0o755 },
    file('data/kept', 'kept\n'),
    file('data/changed', 'below\n'),
    file('data/deleted', 'deleted\n'),
    { name: 'full', type: 'directory', mode: 0o755 },
    file('full/a', 'a'),
    file('full/b', 'b'),
  ]);
  const change = await layer([
    file('data/changed', 'changed above\n'),
    file('data/one', 'one', 0o640),
    { name: 'data/other', type: 'link', linkname: 'data/one', mode: 0o640 },
  ]);
  const deletions = await layer([
    file('data/.wh.deleted', ''),
    { name: 'full', type: 'directory', mode: 0o755 },
    file('full/.wh..wh..opq', ''),
    file('full/new', 'new'),
  ]);
  writeFileSync(path, await imageLayout([base, change, deletions]));
}

/** Writes an image of busybox with `/layers/1`, `/layers/2`… above it, each in a layer of its own. */
export async function writeDeepImage(path: string, depth: number): Promise<void> {
  const layers = Array.from({ length: depth }, (_, index) =>
    layer([file(`layers/${String(index + 1)}`, '')]),
  );
  writeFileSync(path, await imageLayout([await rootfsTar([]), ...(await Promise.all(layers))]));
}

async function layer(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...headers } of entries) tar.entry(headers, content ?? '');
  tar.finalize();
  return buffer(tar);
}

/** The tar of an OCI image layout (image-spec, image-layout.md). */
async function imageLayout(layers: readonly Buffer[]): Promise<Buffer> {
  const blobs: Entry[] = [];
  const put = (mediaType: string, content: Buffer) => {
    const digest = digestOf(content);
    blobs.push({ name: `blobs/sha256/${digest.slice(7)}`, content });
    return { mediaType, digest, size: content.length };
  };
  const platform = { os: 'linux', architecture: architectures[arch()] ?? arch() };
  const config = put(
    'application/vnd.oci.image.config.v1+json',
    json({
      ...platform,
      config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
    }),
  );
  const manifest = put(
    'application/vnd.oci.image.manifest.v1+json',
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: layers.map((tar) =>
        put('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar)),
      ),
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': LAYERED_IMAGE };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations }] };
  return layer([
    ...blobs,
    { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { name: 'index.json', content: json(index) },
  ]);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function json(document: unknown): Buffer {
  return Buffer.from(JSON.stringify(document));
}
