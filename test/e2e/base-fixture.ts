import { createHash } from 'node:crypto';
import {
  createReadStream,
  linkSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { slimDebianRootfsTar, runProgram } from '@teu/testing';
import { pack } from 'tar-stream';
import { file, type Entry } from '../hostile/hostile-image.js';

// Two versions of a base on a real Debian, with a shared library that the second one patches, and an image that was
// built on the first.

/** What the program prints that is linked to the library. */
export const VERSIONS = { old: 'library 1.0', patched: 'library 2.0, patched' } as const;

const LIBRARY = 'usr/lib/fixture/libfixture.so.1';
const architectures: Readonly<Record<string, string>> = { x64: 'amd64' };
const layerType = 'application/vnd.oci.image.layer.v1.tar';

const program = `
#include <stdio.h>
const char *fixture_version(void);
int main(void) { puts(fixture_version()); return 0; }
`;

async function compile(directory: string, name: string, source: string, ...flags: string[]) {
  const output = join(directory, name);
  writeFileSync(`${output}.c`, source);
  const { code, stderr } = await runProgram('gcc', ['-o', output, `${output}.c`, ...flags]);
  if (code !== 0) throw new Error(`gcc: ${stderr}`);
  return readFileSync(output);
}

const library = (directory: string, version: string) =>
  compile(
    directory,
    `libfixture-${createHash('sha1').update(version).digest('hex')}.so`,
    `const char *fixture_version(void) { return "${version}"; }`,
    ...['-shared', '-fPIC', '-Wl,-soname,libfixture.so.1'],
  );

async function layer(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...headers } of entries) tar.entry(headers, content ?? '');
  tar.finalize();
  return buffer(tar);
}

/** A blob of an image layout. */
interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** An OCI image layout in a directory. */
class Layout {
  readonly #path: string;
  readonly #manifests: unknown[] = [];

  constructor(path: string) {
    this.#path = path;
    mkdirSync(join(path, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(path, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  }

  put(bytes: Buffer): Blob {
    const hash = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(this.#path, 'blobs/sha256', hash), bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  }

  /** Takes a file in as it is. */
  async putFile(path: string): Promise<Blob> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    const digest = hash.digest('hex');
    const blob = join(this.#path, 'blobs/sha256', digest);
    try {
      linkSync(path, blob);
    } catch {
      // It is on another file system.
      copyFileSync(path, blob);
    }
    return { digest: `sha256:${digest}`, size: statSync(path).size };
  }

  addImage(name: string, layers: readonly Blob[]): void {
    const json = (document: unknown) => this.put(Buffer.from(JSON.stringify(document)));
    const platform = { os: 'linux', architecture: architectures[arch()] ?? arch() };
    const config = json({
      ...platform,
      config: { Cmd: ['/usr/bin/fixture'], Env: ['PATH=/usr/bin:/bin'] },
      // Images with the same layers would be the same one.
      history: layers.map((_, index) => ({ created_by: `${name} ${String(index)}` })),
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    });
    const manifest = json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: layers.map((blob) => ({ mediaType: layerType, ...blob })),
    });
    const annotations = { 'org.opencontainers.image.ref.name': name };
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    this.#manifests.push({ mediaType, ...manifest, platform, annotations });
    const index = { schemaVersion: 2, manifests: this.#manifests };
    writeFileSync(join(this.#path, 'index.json'), JSON.stringify(index));
  }
}

/** Writes an image layout with "base:1", "base:2" and "app:1". @param path of a directory that is made */
export async function writeBaseImages(path: string): Promise<void> {
  const layout = new Layout(path);
  const [old, patched] = await Promise.all([
    library(path, VERSIONS.old),
    library(path, VERSIONS.patched),
  ]);
  writeFileSync(join(path, 'libfixture.so'), old);
  const linked = ['-L', path, '-lfixture', '-Wl,-rpath,/usr/lib/fixture'];
  const binary = await compile(path, 'fixture', program, ...linked);
  const debian = await layout.putFile(await slimDebianRootfsTar());
  const first = layout.put(
    await layer([
      { name: 'usr/lib/fixture', type: 'directory', mode: 0o755 },
      file(LIBRARY, old, 0o755),
      file('usr/bin/fixture', binary, 0o755),
      { name: 'usr/share/fixture', type: 'directory', mode: 0o755 },
      file('usr/share/fixture/removed-in-2', 'base 1\n'),
      file('etc/fixture.conf', 'base 1\n'),
      file('etc/untouched.conf', 'base 1\n'),
    ]),
  );
  const patch = layout.put(
    await layer([
      file(LIBRARY, patched, 0o755),
      file('usr/share/fixture/.wh.removed-in-2', ''),
      file('usr/share/fixture/added-in-2', 'base 2\n'),
      file('etc/fixture.conf', 'base 2\n'),
      file('etc/untouched.conf', 'base 2\n'),
    ]),
  );
  const own = layout.put(
    await layer([
      { name: 'opt/app', type: 'directory', mode: 0o755 },
      file('opt/app/run', '#!/bin/sh\nfixture\ncat /opt/app/note\n', 0o755),
      file('opt/app/note', 'app\n'),
    ]),
  );
  layout.addImage('base:1', [debian, first]);
  layout.addImage('base:2', [debian, first, patch]);
  layout.addImage('app:1', [debian, first, own]);
}
