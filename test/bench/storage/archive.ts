import { createReadStream, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { arch } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { capture } from '../harness/process.js';

/**
 * Packs tars of layers, the base first, into a docker archive (what "docker save" writes).
 *
 * @returns path of the archive
 */
export async function makeArchive(
  directory: string,
  name: string,
  layers: readonly string[],
): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const files: string[] = [];
  const diffIds: string[] = [];
  for (const [index, layer] of layers.entries()) {
    const file = `layer-${index}.tar`;
    symlinkSync(layer, join(directory, file));
    files.push(file);
    diffIds.push(await digestOf(layer));
  }
  const architecture = arch() === 'x64' ? 'amd64' : arch();
  const config = {
    ...{ os: 'linux', architecture, created: statSync(layers[0] ?? '').mtime.toISOString() },
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: files }];
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
  const archive = `${directory}.tar`;
  const members = ['manifest.json', 'config.json', ...files];
  capture('tar', ['--dereference', '-cf', archive, '-C', directory, ...members]);
  return archive;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `sha256:${hash.digest('hex')}`;
}
